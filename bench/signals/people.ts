// People who are signed in already. Ten thousand sign-ins would be minutes of password hashing, which is not what is asked here: users and
// sessions are written as rows, the first refresh token of each is computed with the installation's own key, and from there on
// everything comes from the real server: the tokens are those that `POST /auth/token` gives.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { loadMasterKey } from '../../packages/server/src/keys/master_key.ts';
import { makeRefreshToken, type RefreshKey } from '../../packages/server/src/keys/refresh_token.ts';
import { expectStatus, field } from '../auth/systems.ts';
import { formRequest } from '../harness/http_connection.ts';
import { createPool, inLanes } from './pool.ts';
import { audience } from './stage.ts';

export interface RegisteredClient {
  readonly id: string;
  readonly secret: string;
}

export interface NewPerson {
  readonly roles?: readonly string[];
  /** Through which they signed in. @default the built-in one */
  readonly client?: RegisteredClient;
}

export interface Person {
  readonly id: string;
  readonly sid: string;
  readonly username: string;
  readonly client: RegisteredClient | undefined;
  /** As sign-in gives it: good for one refresh. */
  readonly refreshToken: string;
}

export interface Holder extends Person {
  readonly accessToken: string;
  /** The successor of `refreshToken`. */
  readonly nextRefreshToken: string;
}

const day = 86_400_000;

/** Their password is the administrator's. Safe beside a running server that nobody writes to at that moment. */
export function signInPeople(dataDir: string, people: readonly NewPerson[]): readonly Person[] {
  const database = new DatabaseSync(join(dataDir, 'latchkey.db'));
  try {
    database.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE');
    const key = openRefreshKey(database, dataDir);
    const hash = String(database.prepare('SELECT password_hash AS hash FROM users').get()?.['hash']);
    const write = rowWriter(database, hash);
    const written = people.map((person): Person => {
      const id = `usr_${randomBytes(16).toString('base64url')}`;
      const sid = randomBytes(16).toString('base64url');
      const username = `signed-in-${sid.toLowerCase().replaceAll(/[^a-z0-9]/g, '')}-${randomBytes(3).toString('hex')}`;
      write({ id, sid, username }, person);
      const refreshToken = makeRefreshToken({ sessionId: sid, generation: 0 }, key);
      return { id, sid, username, client: person.client, refreshToken };
    });
    database.exec('COMMIT');
    return written;
  } finally {
    database.close();
  }
}

function openRefreshKey(database: DatabaseSync, dataDir: string): RefreshKey {
  const master = loadMasterKey({ file: join(dataDir, 'master.key'), mayCreate: false });
  const row = database.prepare('SELECT id, secret FROM refresh_keys ORDER BY created_at DESC').get();
  const id = Number(row?.['id']);
  return { id, secret: master.unwrap(String(row?.['secret']), `refresh key ${id}`) };
}

function rowWriter(database: DatabaseSync, hash: string) {
  const now = Date.now();
  const user = database.prepare(
    `INSERT INTO users (id, username, email, password_hash, ver, revoked_below, disabled, created_at)
     VALUES (?, ?, NULL, ?, 1, 1, 0, ?)`,
  );
  const role = database.prepare('INSERT INTO user_roles (user_id, role) VALUES (?, ?)');
  const session = database.prepare(
    `INSERT INTO sessions (id, user_id, client_id, audience, born_ver, generation, auth_time, created_at, last_used_at, expires_at, ip, user_agent)
     VALUES (?, ?, ?, ?, 1, 0, ?, ?, ?, ?, '127.0.0.1', 'bench')`,
  );
  return (
    { id, sid, username }: { readonly id: string; readonly sid: string; readonly username: string },
    { roles = [], client }: NewPerson,
  ): void => {
    user.run(id, username, hash, now);
    for (const name of roles) role.run(id, name);
    session.run(sid, id, client?.id ?? 'latchkey', audience, now, now, now, now + 30 * day);
  };
}

/** One refresh each: the access token that they come with. */
export async function fetchTokens(authPort: number, people: readonly Person[]): Promise<readonly Holder[]> {
  const pool = createPool(authPort, 16);
  const holders: Holder[] = [];
  await inLanes(people.length, 16, async (i) => {
    const person = people[i] as Person;
    const answer = expectStatus(await pool.send(refreshRequest(person.refreshToken, person.client)), 200);
    holders[i] = {
      ...person,
      accessToken: field(answer, 'access_token'),
      nextRefreshToken: field(answer, 'refresh_token'),
    };
  });
  pool.close();
  return holders;
}

export function refreshRequest(refreshToken: string, client?: RegisteredClient): string {
  const fields = { grant_type: 'refresh_token', refresh_token: refreshToken };
  return formRequest('/auth/token', fields, client === undefined ? {} : basic(client));
}

/** RFC 6749 §2.3.1. Our ids and secrets need no percent-encoding. */
export function basic({ id, secret }: RegisteredClient): Readonly<Record<string, string>> {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
}

export function claimOf(token: string, name: string): string {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return String((claims as Record<string, unknown>)[name]);
}
