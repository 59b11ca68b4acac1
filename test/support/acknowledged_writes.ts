// Sixteen writers of all kinds against an auth server that will be killed, and the memory of what was acknowledged to them.
// A write counts as acknowledged when its whole answer has arrived; what was in flight at the kill may be there or not.
import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { adminPassword, testIssuer, userPassword } from './auth_server.ts';

export interface Acknowledged {
  readonly kind: string;
  /** Whether the database still holds it. */
  readonly holds: (database: DatabaseSync) => boolean;
}

interface Reply {
  readonly status: number;
  readonly body: Record<string, string>;
}

/** The connection is gone: the server was killed. */
class Gone extends Error {}

/** Everything that lives on from one start of the server to the next. */
export interface WriterMemory {
  readonly acknowledged: Acknowledged[];
  /** Refresh chains: the token to present next, and the key of the exchange under way. */
  readonly chains: { token: string; key: string }[];
  /** Refreshes that were refused: there must be none. */
  readonly signedOut: string[];
}

export function newMemory(): WriterMemory {
  return { acknowledged: [], chains: [], signedOut: [] };
}

const unique = (prefix: string) => `${prefix}-${randomBytes(6).toString('hex')}`;

function has(sql: string, ...values: (string | number)[]): Acknowledged['holds'] {
  return (database) => database.prepare(sql).get(...values) !== undefined;
}

function client(address: string, adminToken: string) {
  async function call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    try {
      const json =
        body === undefined || typeof body === 'string' ? {} : { 'content-type': 'application/json' };
      const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
      const answer = await fetch(`${address}${path}`, {
        method,
        headers: { ...json, ...headers },
        ...(text === undefined ? {} : { body: text }),
      });
      const said = await answer.text();
      return { status: answer.status, body: said === '' ? {} : JSON.parse(said) };
    } catch {
      throw new Gone();
    }
  }
  return {
    call,
    admin: (method: string, path: string, body?: unknown) =>
      call(method, `/auth/admin/${path}`, body, { authorization: `Bearer ${adminToken}` }),
    login: (username: string, password: string, extra = {}) =>
      call('POST', '/auth/login', { username, password, ...extra }),
    refresh: (token: string, key: string) =>
      call(
        'POST',
        '/auth/token',
        new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }).toString(),
        {
          'content-type': 'application/x-www-form-urlencoded',
          'idempotency-key': key,
        },
      ),
  };
}

type Client = ReturnType<typeof client>;
/** One turn of a writer: does a write and answers how to see it, or undefined when it was refused. */
type Turn = (client: Client) => Promise<Acknowledged['holds'] | undefined>;

const generationOf = (token: string) => Buffer.from(token.slice(4), 'base64url').readUInt32BE(18);

function refreshing(memory: WriterMemory, index: number): Turn {
  return async ({ login, refresh }) => {
    const chain = memory.chains[index];
    if (chain === undefined) {
      const { body } = await login('admin', adminPassword);
      memory.chains[index] = { token: body['refresh_token'] ?? '', key: randomBytes(12).toString('hex') };
      return has('SELECT 1 FROM sessions WHERE id = ?', body['session_id'] ?? '');
    }
    const { status, body } = await refresh(chain.token, chain.key);
    if (status !== 200) {
      memory.signedOut.push(`${status} ${body['reason'] ?? body['error']}`);
      return undefined;
    }
    const token = body['refresh_token'] ?? '';
    memory.chains[index] = { token, key: randomBytes(12).toString('hex') };
    return has(
      'SELECT 1 FROM sessions WHERE id = ? AND generation >= ?',
      body['session_id'] ?? '',
      generationOf(token),
    );
  };
}

const signingInAndOut: Turn = async ({ login, call }) => {
  const { body } = await login('admin', adminPassword);
  const sid = body['session_id'] ?? '';
  const { status } = await call('POST', '/auth/logout', { refresh_token: body['refresh_token'] });
  if (status !== 204) return undefined;
  return (database) =>
    has('SELECT 1 FROM sessions WHERE id = ? AND ended_at IS NOT NULL', sid)(database) &&
    has("SELECT 1 FROM signals WHERE by_what = 'sid' AND value = ?", sid)(database) &&
    has("SELECT 1 FROM audit WHERE action = 'session.end' AND target = ?", sid)(database);
};

const newUser = async ({ admin }: Client) =>
  (await admin('POST', 'users', { username: unique('user'), password: userPassword })).body['id'] ?? '';

const makingUsers: Turn = async (on) => {
  const id = await newUser(on);
  return (database) =>
    has('SELECT 1 FROM users WHERE id = ?', id)(database) &&
    has("SELECT 1 FROM audit WHERE action = 'user.create' AND target = ?", id)(database);
};

const disablingUsers: Turn = async (on) => {
  const id = await newUser(on);
  const { status } = await on.admin('PATCH', `users/${id}`, { disabled: true });
  if (status !== 200) return undefined;
  return (database) =>
    has('SELECT 1 FROM users WHERE id = ? AND disabled = 1', id)(database) &&
    has("SELECT 1 FROM signals WHERE by_what = 'sub' AND value = ?", id)(database);
};

const makingRoles: Turn = async ({ admin }) => {
  const name = unique('role');
  const { status } = await admin('POST', 'roles', { name, permissions: ['records:read'] });
  return status === 201 ? has('SELECT 1 FROM roles WHERE name = ?', name) : undefined;
};

/** Gives one user this role and that, many times: each change raises their version and is audited. */
function changingRoles(): Turn {
  let id: string | undefined;
  let changes = 0;
  return async (on) => {
    id ??= await newUser(on);
    const roles = changes % 2 === 0 ? ['administrator'] : [];
    const { status } = await on.admin('PUT', `users/${id}/roles`, { roles });
    if (status !== 200) return undefined;
    changes += 1;
    return has('SELECT 1 FROM users WHERE id = ? AND ver >= ?', id, changes + 1);
  };
}

const registeringClients: Turn = async ({ admin }) => {
  const { status, body } = await admin('POST', 'clients', { name: unique('client') });
  return status === 201 ? has('SELECT 1 FROM clients WHERE id = ?', body['id'] ?? '') : undefined;
};

const killingTokens: Turn = async ({ admin }) => {
  const jti = randomBytes(16).toString('base64url');
  const { status } = await admin('DELETE', `tokens/${jti}`);
  return status === 204 ? has("SELECT 1 FROM signals WHERE by_what = 'jti' AND value = ?", jti) : undefined;
};

const failingToSignIn: Turn = async ({ call }) => {
  const id = unique('failed');
  const body = { username: 'nobody', password: 'a wrong but long password' };
  const { status } = await call('POST', '/auth/login', body, { 'x-request-id': id });
  return status === 401
    ? has("SELECT 1 FROM audit WHERE outcome = 'failure' AND request_id = ?", id)
    : undefined;
};

/** One person changes their password to and fro, each time with the token of the change before. */
function changingPasswords(): Turn {
  let person: { id: string; token: string } | undefined;
  let passwords: [string, string] = [userPassword, 'another quiet brook'];
  let changes = 0;
  return async (on) => {
    if (person === undefined) {
      const username = unique('changer');
      const id = (await on.admin('POST', 'users', { username, password: userPassword })).body['id'] ?? '';
      person = { id, token: (await on.login(username, userPassword)).body['access_token'] ?? '' };
    }
    const { id, token } = person;
    const change = { current_password: passwords[0], new_password: passwords[1] };
    const { status, body } = await on.call('POST', '/auth/me/password', change, {
      authorization: `Bearer ${token}`,
    });
    if (status !== 200) return undefined;
    person = { id, token: body['access_token'] ?? '' };
    passwords = [passwords[1], passwords[0]];
    changes += 1;
    return has('SELECT 1 FROM users WHERE id = ? AND revoked_below >= ?', id, changes + 1);
  };
}

function writers(memory: WriterMemory): Readonly<Record<string, Turn>> {
  return {
    ...Object.fromEntries([0, 1, 2, 3].map((i) => [`refresh ${i}`, refreshing(memory, i)])),
    'sign-in and sign-out a': signingInAndOut,
    'sign-in and sign-out b': signingInAndOut,
    'new user': makingUsers,
    'disabled user': disablingUsers,
    'new role a': makingRoles,
    'new role b': makingRoles,
    'changed roles a': changingRoles(),
    'changed roles b': changingRoles(),
    'new client': registeringClients,
    'revoked token': killingTokens,
    'failed sign-in': failingToSignIn,
    'changed password': changingPasswords(),
  };
}

/** How many kinds of writes there are. */
export const writeKinds = 10;

/** `refresh 2` and `new role b` are writers; `refresh` and `new role` are what they do. */
const kindOf = (name: string) => name.replace(/ [\dab]$/, '');

/** Lets all sixteen write until `enough` says so, then calls `kill` while they are at it, and waits until all have noticed. */
export async function writeUntilKilled(
  address: string,
  memory: WriterMemory,
  enough: (acknowledged: number, kinds: number) => boolean,
  kill: () => Promise<void>,
): Promise<number> {
  const first = client(address, '');
  const { body } = await first.login('admin', adminPassword, { audience: testIssuer });
  const on = client(address, body['access_token'] ?? '');
  const before = memory.acknowledged.length;
  const kinds = new Set<string>();
  let killing: Promise<void> | undefined;

  async function work(name: string, turn: Turn): Promise<void> {
    while (killing === undefined) {
      const holds = await turn(on);
      if (holds === undefined) continue;
      memory.acknowledged.push({ kind: kindOf(name), holds });
      kinds.add(kindOf(name));
      if (enough(memory.acknowledged.length - before, kinds.size)) killing ??= kill();
    }
  }
  const works = Object.entries(writers(memory)).map(async ([name, turn]) => {
    try {
      await work(name, turn);
    } catch (error) {
      if (!(error instanceof Gone)) throw error;
    }
  });
  await Promise.all(works);
  await killing;
  return memory.acknowledged.length - before;
}
