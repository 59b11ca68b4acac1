// What `latchkey start` says once everything runs: where to go, who can sign in, and lines to paste that show the whole
// life of a token. Short enough for one screen.
import { print, styled, table } from '../terminal/print.ts';
import type { SamplePerson } from './people.ts';

export interface SummaryFacts {
  readonly seconds: number;
  readonly publicUrl: string;
  readonly title: string | undefined;
  readonly dataDir: string;
  readonly people: readonly SamplePerson[];
  readonly firstAdmin: { readonly username: string; readonly password: string } | undefined;
  /** Who signs in where no password is known. */
  readonly adminName: string;
  /** Something the first person may read through the gateway. */
  readonly tryPath: string;
  readonly remarks: readonly string[];
}

export function printSummary(facts: SummaryFacts): void {
  const { publicUrl, people, firstAdmin } = facts;
  print();
  print(
    `  ${styled(['bold', 'green'], 'Latchkey is running')}  ${styled('dim', `ready in ${facts.seconds.toFixed(1)} s`)}`,
  );
  print();
  const places = [
    ...(facts.title === undefined ? [] : [[facts.title, `${publicUrl}/`] as const]),
    ['API to try', `${publicUrl}/auth/docs`] as const,
    ['Data and logs', facts.dataDir] as const,
  ];
  for (const [name, place] of places) print(`  ${name.padEnd(14)} ${styled('cyan', place)}`);
  for (const remark of facts.remarks) print(`  ${styled('yellow', 'note')}           ${remark}`);
  if (people.length > 0) {
    print();
    const rows = people.map(({ username, password, roles, note }) => [
      username,
      password,
      roles.join(', '),
      note,
    ]);
    print(indent(table(['Sign in as', 'password', 'role', ''], rows)));
  }
  if (firstAdmin !== undefined) {
    print();
    print(`  Administrator  ${styled('bold', firstAdmin.username)}  ${styled('bold', firstAdmin.password)}`);
    print(`  ${styled('dim', 'shown this once; latchkey user passwd gives a new one')}`);
  }
  const who = people[0] ?? firstAdmin ?? { username: facts.adminName, password: 'YOUR-PASSWORD' };
  printTry(publicUrl, facts.tryPath, who);
  print();
  print(`  ${styled('dim', 'Ctrl-C stops everything; latchkey help lists what else there is')}`);
  print();
}

function printTry(
  publicUrl: string,
  path: string,
  who: { readonly username: string; readonly password: string },
): void {
  const body = JSON.stringify({
    username: who.username,
    password: who.password,
  });
  const steps: readonly (readonly [string, string])[] = [
    [
      'sign in, keep the token',
      `TOKEN=$(curl -s ${publicUrl}/auth/login -H 'content-type: application/json' -d '${body}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    ],
    ['use it', `curl -s ${publicUrl}${path} -H "authorization: Bearer $TOKEN"`],
    [
      'sign out: the session ends',
      `curl -si -X POST ${publicUrl}/auth/logout -H "authorization: Bearer $TOKEN"`,
    ],
    ['the same token again: refused', `curl -si ${publicUrl}${path} -H "authorization: Bearer $TOKEN"`],
  ];
  print();
  print(`  ${styled('bold', 'Try it')}`);
  for (const [what, line] of steps) print(`  ${styled('dim', `# ${what}`)}\n  ${line}`);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
