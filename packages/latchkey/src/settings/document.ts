// Writes docs/configuration.md from the table of settings: `node packages/latchkey/src/settings/document.ts`. A test fails
// when the page and the table differ.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Group, Setting } from './setting.ts';
import { settings } from './table.ts';

export const pageFile = fileURLToPath(new URL('../../../../docs/configuration.md', import.meta.url));

const opening = `# Configuration

Nothing has to be configured: \`latchkey start\` runs with the defaults below. What differs is said in
\`latchkey.config.ts\` (\`latchkey init\` writes one with every setting explained) or in the environment.

- **Order**: a flag goes before the environment, the environment before the file, the file before the default.
- **The file** is \`latchkey.config.ts\`, \`.mts\`, \`.js\`, \`.mjs\` or \`.json\` in the current folder, or what \`--config\`
  or \`LATCHKEY_CONFIG\` names. Paths in it are relative to it; paths in flags and in the environment are relative to the
  current folder.
- **Faults** are reported all at once, unknown names included, and nothing starts until they are mended.
  \`latchkey doctor\` checks them together with everything around them.
- **Secrets** are never shown: not in messages, not in logs, not with \`--json\`. Those marked *environment only* are refused
  in a file.
- **Times** are whole seconds, or text such as \`90s\`, \`15m\`, \`12h\`, \`14d\`. **Lists** in the environment are separated by
  commas. **Ports** that nobody named are replaced by free ones when they are taken; a named one that is taken is an error;
  \`0\` chooses a free one.
- A variable that is nearly one of ours (\`LATCHKEY_PROT\`) is taken for a typing mistake and refused.
`;

const titles: Readonly<Record<Group, string>> = {
  addresses: 'Addresses',
  data: 'Data',
  'first start': 'First start',
  'tokens and sessions': 'Tokens and sessions',
  passwords: 'Passwords',
  limits: 'Limits',
  signals: 'Signals',
  'behind it': 'Behind the gateway',
};

const closing = `## A file

\`\`\`ts
import { defineConfig } from 'latchkey';

export default defineConfig({
  publicUrl: 'https://id.example.com',
  trustedProxies: ['10.0.0.0/8'],
  accessTokenLife: '5m',
  customClaims: (user) => ({ tenant: user.username.split('.')[0] }),
  routes: [
    { prefix: '/api/notes', upstreams: ['http://127.0.0.1:4101'], access: 'authenticated' },
    { prefix: '/api/payments', upstreams: ['http://127.0.0.1:4102'], access: { permission: 'payments:write' }, sensitive: true },
  ],
});
\`\`\`

Every value of the file is typed: an editor shows what is possible. \`import type { Config } from 'latchkey'\` with
\`satisfies Config\` does the same without loading anything.

## Variables that are no settings

| variable | what it does |
| --- | --- |
| \`LATCHKEY_CONFIG\` | The configuration file, as \`--config\` |
| \`LATCHKEY_DEBUG\` | Shows the stack of a failure that nobody foresaw |
| \`NO_COLOR\` | No colours |
| \`XDG_CACHE_HOME\` | Where compiled code is kept between starts (\`~/.cache\`); \`NODE_DISABLE_COMPILE_CACHE=1\` keeps none |
`;

/** The whole page. */
export function configurationPage(): string {
  const sections = Object.entries(titles).map(([group, title]) => {
    const rows = settings.filter((setting) => setting.group === group).map(row);
    return `## ${title}\n\n| setting | variable | default | |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
  });
  return [opening, ...sections, closing].join('\n');
}

function row({ name, env, byDefault, about, kind, secret, environmentOnly, asFlag }: Setting): string {
  const facts = [
    environmentOnly === true ? '*environment only*' : '',
    secret === true ? '*secret*' : '',
    asFlag === true ? 'also a flag' : '',
  ].filter((fact) => fact !== '');
  const meaning = `${about} Takes ${kind.expected}.${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
  return `| \`${name}\` | ${env === undefined ? '' : `\`${env}\``} | ${escapeCell(byDefault ?? '')} | ${escapeCell(meaning)} |`;
}

/** In a table, `|` ends a cell and `<` begins a tag. */
function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(pageFile, configurationPage());
