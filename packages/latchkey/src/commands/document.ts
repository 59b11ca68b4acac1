// Writes docs/cli.md from the commands themselves: `node packages/latchkey/src/commands/document.ts`. A test fails when the
// page and the commands differ.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Command, optionText } from './command.ts';
import { commands, type Entry, groups } from './table.ts';

export const pageFile = fileURLToPath(new URL('../../../../docs/cli.md', import.meta.url));

const opening = `# The command line

\`latchkey COMMAND [OPTIONS]\`. Every command explains itself with \`--help\`.

**One writer.** Commands that administer talk to the running auth server over a Unix socket in the data directory
(\`data/latchkey.sock\`, mode 0600): whoever may open that file is the operator and needs no token. When no server runs, the
command opens the data directory itself, for as long as it takes. Either way the same rules apply and every change
leaves its row in the audit log, by \`operator\`.

**Passwords** are asked for without echo, or read from standard input (\`--password-stdin\`). They are never arguments: those
are visible to every user of the machine and stay in the shell's history. Tokens are treated the same way.

**Scripts.** \`--json\` answers with JSON on standard output; remarks go to standard error. The exit code is 0 when it was
done, 1 when it failed, 2 when it was asked wrongly. A failure is one line, then a hint:

\`\`\`
$ latchkey user ad alice
latchkey: there is no command user ad
hint: did you mean latchkey user add?
\`\`\`

**Processes.** \`latchkey start\` keeps one child per part: the auth server (which keeps its hashing process), the gateway, the
services. A child that crashes is started again, later and later when it keeps crashing. Ctrl-C stops them in order, the
gateway first; a second Ctrl-C does not wait. Children end with their parent, also when it is killed with SIGKILL. What
they write goes to \`data/logs/\` (16 MiB each, one older file kept); the screen gets warnings only, or all of it with
\`--verbose\`. The gateway's process reads no configuration and is given one secret, that of its own client.

**Receipts.** \`latchkey start\` registers its gateway and its services as clients of the auth server (their secrets are in
\`data/clients.json\`, mode 0600), so \`latchkey verifiers\` lists them. Whatever revokes takes \`--wait\`: the command then says who has
applied the change, who has not, and when each of those must have stopped trusting what it has.
`;

/** The whole page. */
export async function commandLinePage(): Promise<string> {
  const parts = [opening];
  for (const [group, title] of groups) {
    parts.push(`## ${title}\n`);
    for (const entry of commands.filter((each) => each.group === group))
      parts.push(section(entry, await entry.load()));
  }
  return parts.join('\n');
}

function section(entry: Entry, { usage, about, options, examples }: Command): string {
  const lines = [
    `### latchkey ${entry.name}\n`,
    `\`latchkey ${usage}\`\n`,
    `${entry.summary}. ${about.replaceAll('\n', ' ')}\n`,
  ];
  const rows = Object.entries(options).map(
    ([name, spec]) => `| \`${optionText(name, spec)}\` | ${escapeCell(spec.about)} |`,
  );
  if (rows.length > 0) lines.push(`| option | |\n| --- | --- |\n${rows.join('\n')}\n`);
  if (examples !== undefined) lines.push(`\`\`\`sh\n${examples.join('\n')}\n\`\`\`\n`);
  return lines.join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(pageFile, await commandLinePage());
