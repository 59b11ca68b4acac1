// The sample people of an example. Their passwords are drawn at the first start and kept beside the example's data
// (mode 0600), so that they are the same, and can be shown, at every start. They exist on this machine only.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Admin } from '../admin/admin.ts';
import { expectStatus, findUser, type UserView } from '../admin/answers.ts';
import { randomPassword } from '../terminal/password.ts';
import type { Example } from './example.ts';

export interface SamplePerson {
  readonly id: string;
  readonly username: string;
  readonly password: string;
  readonly roles: readonly string[];
  readonly note: string;
}

/** Makes the roles and people that are missing; what an administrator changed meanwhile stays as it is. */
export async function ensurePeople(admin: Admin, example: Example, file: string): Promise<SamplePerson[]> {
  const passwords = keptPasswords(file, example);
  for (const { name, permissions, description } of example.roles) {
    const answer = await admin.send('POST', '/auth/admin/roles', {
      name,
      permissions,
      ...(description && { description }),
    });
    expectStatus(answer, [201, 409], `role ${name}`);
  }
  // Together: the hashes run on all cores.
  return Promise.all(
    example.people.map(async ({ username, roles, note }) => {
      const password = passwords[username]!;
      const answer = await admin.send('POST', '/auth/admin/users', { username, password, roles });
      expectStatus(answer, [201, 409], `user ${username}`);
      const { id } = answer.status === 201 ? (answer.body as UserView) : await findUser(admin, username);
      return { id, username, password, roles, note: note ?? '' };
    }),
  );
}

function keptPasswords(file: string, example: Example): Record<string, string> {
  const kept: Record<string, string> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const missing = example.people.filter(({ username }) => kept[username] === undefined);
  if (missing.length === 0) return kept;
  for (const { username } of missing) kept[username] = randomPassword();
  // Written before the accounts exist: a start that is cut short leaves no account with a password nobody knows.
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return kept;
}
