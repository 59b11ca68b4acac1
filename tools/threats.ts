// docs/threats.md is made from the first words of every file in test/attacks, test/faults and test/properties, so that the page
// cannot promise a test that is not there. `node tools/threats.ts` writes it; `npm run check` says when it is stale.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const page = 'docs/threats.md';

const sections: readonly (readonly [string, string])[] = [
  ['T', 'Tokens: parsing and signatures'],
  ['C', 'Claims, types, audience'],
  ['K', 'Keys, key sets, rotation'],
  ['R', 'Caches and revocation'],
  ['G', 'Gateway and HTTP'],
  ['L', 'Sign-in, passwords, enumeration'],
  ['S', 'Refresh, sessions, browsers'],
  ['A', 'Roles and administration'],
  ['O', 'Logs and secrets'],
];

const opening = `# Threats

What attacks a system like this one, and the test that shows what happens. This page is made from the tests themselves
(\`tools/threats.ts\`): a row without a file cannot stand here. Rows are numbered by area; a number that is missing belongs to a
part that does not exist yet (e-mail, multi-factor sign-in, several tenants, HTTP/2, the console).

"Refused" means: a typed refusal, 401 with an RFC 6750 body that does not say which check of a forged token failed, never a 5xx, and no
token in any log. Figures that need time or load (T14, T16, L01, L07) are shown by \`npm run prove\`.

## Assumptions

- Whoever reads the data directory owns the system: the master key lies in it unless the settings put it elsewhere.
- Transport is TLS, or loopback. Clocks differ by 30 seconds at the most.
- The gateway, the services and the auth server are not on the attacker's side; a service that is taken over gets the tokens that are
  sent to it, and nothing that opens the administration.
`;

interface Row {
  readonly id: string;
  readonly text: string;
  readonly file: string;
}

function openingComment(file: string): string {
  const lines = readFileSync(file, 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines
    .slice(0, end)
    .map((line) => line.replace(/^\/\/ ?/, ''))
    .join(' ');
}

function rowOf(file: string): Row {
  const id = (/^([a-z]\d\d)_/.exec(basename(file))?.[1] ?? '').toUpperCase();
  const text = openingComment(file).replace(/^[A-Z]\d\d(, [A-Z]\d\d)*:? ?/, '');
  return { id, text: text.replaceAll('|', '\\|'), file };
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ id, text, file }) => `| [${id === '' ? basename(file, '.test.ts') : id}](../${file}) | ${text} |`,
  );
  return ['| test | what happens |', '| --- | --- |', ...lines, ''].join('\n');
}

function pageText(): string {
  const attacks = globSync('test/attacks/*.test.ts').sort().map(rowOf);
  const parts = sections.map(([letter, title]) => {
    const rows = attacks.filter((row) => row.id.startsWith(letter));
    return rows.length === 0 ? '' : `## ${title}\n\n${table(rows)}`;
  });
  const faults = globSync('test/faults/*.test.ts').sort().map(rowOf);
  const properties = globSync('test/properties/*.test.ts').sort().map(rowOf);
  const rest = [`## Faults\n\n${table(faults)}`, `## Random histories\n\n${table(properties)}`];
  return [opening, ...parts.filter((part) => part !== ''), ...rest].join('\n');
}

/** What is wrong with the page; empty when it is current. */
export function checkThreats(): string[] {
  const current = readFileSync(page, { encoding: 'utf8', flag: 'a+' });
  return current === pageText() ? [] : [`${page} is stale: node tools/threats.ts`];
}

if (import.meta.main) writeFileSync(page, pageText());
