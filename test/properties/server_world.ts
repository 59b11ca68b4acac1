// The real auth server and a real verifier with an unreliable network between them, and the deeds of random histories: each is done,
// its answer is checked, and the model of what must follow is told.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { TokenError } from '@latchkey/core';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';
import { rowsOf } from '../support/database_file.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp_proxy.ts';
import {
  createServerModel,
  type HeldSession,
  type HeldToken,
  type Person,
  type ServerModel,
} from './server_model.ts';

export const roles = ['doctor', 'nurse', 'clerk'];
const permissions = ['records:read', 'records:write', 'bills:read'];

export interface ServerWorld {
  readonly server: TestAuthServer;
  readonly proxy: TcpProxy;
  readonly verifier: Verifier;
  /** Milliseconds by which the verifier's monotonic clock is ahead: silence without waiting. */
  moved: number;
  close(): Promise<void>;
}

export async function startServerWorld(): Promise<ServerWorld> {
  const server = await startAuthServer({ refreshGrace: 0, limits: { streamsPerAddress: 1_000 } });
  const proxy = await startTcpProxy(server.url);
  const world = { moved: 0 };
  const verifier = createVerifier({
    issuer: server.issuer,
    audience: server.audience,
    issuerAddress: `${proxy.origin}/auth`,
    monotonic: () => performance.now() + world.moved,
  });
  for (const role of roles) await server.createRole(role, permissions);
  await verifier.ready();
  return Object.assign(world, {
    server,
    proxy,
    verifier,
    async close() {
      verifier.close();
      await proxy.close();
      await server.close();
    },
  });
}

/** One history on a server that others have used: its people, sessions and clients are its own, keys and roles are not. */
export function createDeeds({ server }: ServerWorld, model: ServerModel = createServerModel()) {
  const people: Person[] = [];
  const unique = () => randomBytes(5).toString('hex');
  const password = () => `a quiet brook ${unique()}`;

  async function operator(method: string, path: string, body?: unknown) {
    const answer = await server.operator(method, `/auth/admin/${path}`, body);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
    return answer.body;
  }

  function hold(session: HeldSession, text: string): void {
    const [header, claims] = text
      .split('.')
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
    const { person } = session;
    const { jti, roles: held } = claims;
    model.tokens.push({ text, jti, kid: header.kid, person, session, roles: held, fate: 'accepted' });
    assert.deepEqual([...held].sort(), [...person.roles].sort(), 'a new token has the roles of now');
  }

  async function newPerson(): Promise<Person> {
    const username = `p${unique()}`;
    const { id } = await operator('POST', 'users', { username, password: userPassword, roles: ['doctor'] });
    const person = {
      id,
      username,
      password: userPassword,
      roles: ['doctor'],
      disabled: false,
      deleted: false,
    };
    people.push(person);
    return person;
  }

  async function signIn(person: Person, client?: { id: string; secret: string }): Promise<void> {
    const headers =
      client === undefined
        ? {}
        : { authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}` };
    const { status, body } = await server.call('POST', '/auth/login', {
      body: { username: person.username, password: person.password },
      headers,
    });
    if (person.disabled || person.deleted) return assert.equal(status, 401);
    assert.equal(status, 200, body.error_description);
    const { session_id: id, refresh_token: refreshToken } = body;
    const session = { id, person, clientId: client?.id, refreshToken, spent: [], alive: true };
    model.sessions.push(session);
    hold(session, body.access_token);
  }

  async function refresh(session: HeldSession): Promise<void> {
    // A client's own sessions are refreshed with its credential; that is not the matter here.
    if (session.clientId !== undefined) return;
    const { status, body } = await server.refresh(session.refreshToken);
    assert.equal(status, session.alive ? 200 : 400, body.reason);
    if (!session.alive) return;
    if (body.refresh_token !== session.refreshToken) session.spent.push(session.refreshToken);
    session.refreshToken = body.refresh_token;
    hold(session, body.access_token);
  }

  return {
    model,
    people,
    newPerson,
    signIn,
    refresh,
    async replaySpent(session: HeldSession): Promise<void> {
      const [oldest] = session.spent;
      if (oldest === undefined) return;
      assert.equal((await server.refresh(oldest)).status, 400);
      if (session.alive) model.sessionEnded(session);
    },
    async endSession(session: HeldSession): Promise<void> {
      if (!session.alive) return;
      await operator('DELETE', `sessions/${session.id}`);
      model.sessionEnded(session);
    },
    async endAll(person: Person): Promise<void> {
      if (person.deleted) return;
      await operator('DELETE', `users/${person.id}/sessions`);
      model.personEnded(person);
    },
    async disable(person: Person, disabled: boolean): Promise<void> {
      if (person.deleted || person.disabled === disabled) return;
      await operator('PATCH', `users/${person.id}`, { disabled });
      person.disabled = disabled;
      if (disabled) model.personEnded(person);
    },
    async remove(person: Person): Promise<void> {
      if (person.deleted) return;
      await operator('DELETE', `users/${person.id}`);
      person.deleted = true;
      model.personEnded(person);
    },
    async setPassword(person: Person): Promise<void> {
      if (person.deleted) return;
      const next = password();
      await operator('PUT', `users/${person.id}/password`, { password: next });
      person.password = next;
      model.personEnded(person);
    },
    async changePassword(token: HeldToken): Promise<void> {
      const { person, session } = token;
      if (token.fate !== 'accepted' || !session.alive) return;
      const next = password();
      const { status, body } = await server.call('POST', '/auth/me/password', {
        token: token.text,
        body: { current_password: person.password, new_password: next },
      });
      assert.equal(status, 200, body.error_description);
      person.password = next;
      model.personEnded(person, session);
      if (body.refresh_token !== session.refreshToken) session.spent.push(session.refreshToken);
      session.refreshToken = body.refresh_token;
      hold(session, body.access_token);
    },
    async setRoles(person: Person, names: readonly string[]): Promise<void> {
      if (person.deleted || [...names].sort().join() === [...person.roles].sort().join()) return;
      await operator('PUT', `users/${person.id}/roles`, { roles: names });
      model.rolesChanged(person, names);
    },
    /** Takes a permission from a role and gives it back: only the loss is told. */
    async shake(role: string): Promise<void> {
      await operator('PATCH', `roles/${role}`, { permissions: permissions.slice(1) });
      model.roleLost(role);
      await operator('PATCH', `roles/${role}`, { permissions });
    },
    /** Removes a role, which takes it from everybody, and makes another one of this name. */
    async replaceRole(role: string): Promise<void> {
      await operator('DELETE', `roles/${role}`);
      model.roleLost(role);
      for (const person of people) person.roles = person.roles.filter((name) => name !== role);
      await operator('POST', 'roles', { name: role, permissions });
    },
    async rename(person: Person): Promise<void> {
      if (person.deleted) return;
      const username = `p${unique()}`;
      await operator('PATCH', `users/${person.id}`, { username });
      person.username = username;
      model.renamed(person);
    },
    async killToken(token: HeldToken): Promise<void> {
      await operator('DELETE', `tokens/${token.jti}`);
      model.tokenKilled(token);
    },
    /** A client signs somebody in, and is removed. */
    async passingClient(person: Person): Promise<void> {
      const client = await operator('POST', 'clients', { name: `c${unique()}` });
      await signIn(person, client);
      await operator('DELETE', `clients/${client.id}`);
      model.clientRemoved(client.id);
    },
    async rotate(): Promise<void> {
      await operator('POST', 'keys/rotate', { immediately: true });
    },
    async removeKey(): Promise<void> {
      const { items } = await operator('GET', 'keys');
      const current = items.find(({ state }) => state === 'current');
      assert.ok(current !== undefined);
      await operator('DELETE', `keys/${current.kid}`);
      model.keyRemoved(current.kid);
    },
  };
}

export type Deeds = ReturnType<typeof createDeeds>;

export async function answerOf(verifier: Verifier, token: string): Promise<string> {
  try {
    await verifier.verify(token);
    return 'accepted';
  } catch (error) {
    if (error instanceof TokenError) return error.code;
    throw error;
  }
}

/** The network is well again, and says which connections are dead; the verifier has everything that was committed. */
export async function inStep(world: ServerWorld): Promise<void> {
  const { server, proxy, verifier } = world;
  proxy.mode = 'pass';
  proxy.delay = 0;
  proxy.cutSwallowed();
  const seq = Number(
    rowsOf(server.dataDir, "SELECT value FROM counters WHERE name = 'signal'")[0]?.['value'],
  );
  const { keys } = (await server.call('GET', '/auth/.well-known/jwks.json')).body;
  for (const end = performance.now() + 30_000; performance.now() < end; await pause(3)) {
    const { signals, connected, keys: held } = verifier.status();
    const hasKeys = held.length === keys.length && keys.every(({ kid }) => held.includes(kid));
    if (connected && hasKeys && (signals?.seq ?? 0) >= seq) return;
  }
  assert.fail(`not in step with ${seq}: ${JSON.stringify(verifier.status())}`);
}
