// The client against a small real server that keeps the wire contract: rotation, grace by Idempotency-Key, reasons.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import type { AccessTokenClaims } from '@latchkey/core';
import type { Claims } from './claims.ts';
import { type Client, type ClientOptions, createClient } from './client.ts';
import { ClientError } from './client_error.ts';
import { memoryStorage } from './stored_session.ts';

interface Session {
  generation: number;
  key: string | undefined;
  sub: string;
  ver: number;
  ended: string | undefined;
}

/** What the server saw and how it is told to misbehave. */
const world = {
  sessions: new Map<string, Session>(),
  calls: [] as { path: string; headers: IncomingMessage['headers']; body: string }[],
  minVer: 1,
  /** Rotations whose answer is lost on the way back. */
  loseAnswers: 0,
  authDown: false,
  refuseWith: undefined as string | undefined,
  life: 300,
};

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(request, response, Buffer.concat(chunks).toString()));
});
let origin = '';

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  Object.assign(world, { minVer: 1, loseAnswers: 0, authDown: false, refuseWith: undefined, life: 300 });
  world.sessions.clear();
  world.calls.length = 0;
});

function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
  const path = request.url ?? '';
  world.calls.push({ path, headers: request.headers, body });
  if (world.authDown && path.startsWith('/auth/')) request.socket.destroy();
  else if (path === '/auth/login') login(response, JSON.parse(body) as Record<string, string>);
  else if (path === '/auth/token') token(request, response, new URLSearchParams(body));
  else if (path.startsWith('/auth/logout')) logout(request, response, body);
  else service(request, response, body);
}

function send(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): unknown {
  return response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify(body));
}

/** Typed as the server's claims and checked against the client's own copy of that type, which needs no package. */
function accessToken(sid: string, { sub, ver }: Session): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims: AccessTokenClaims = {
    iss: `${origin}/auth`,
    aud: origin,
    sub,
    sid,
    ver,
    rver: 1,
    exp: 301, // long ago: the client must not look at it
    iat: 1,
    auth_time: 1,
    jti: randomUUID(),
    client_id: 'latchkey',
    preferred_username: 'grëy',
    roles: ['doctor'],
    scope: 'records:read records:write',
  };
  return `${part({ alg: 'none' })}.${part(claims satisfies Claims)}.c2ln`;
}

function tokens(response: ServerResponse, sid: string, session: Session, cookie: boolean): unknown {
  const refreshToken = `lkr_${sid}_${session.generation}`;
  return send(
    response,
    200,
    {
      access_token: accessToken(sid, session),
      token_type: 'Bearer',
      expires_in: world.life,
      ...(cookie ? {} : { refresh_token: refreshToken }),
    },
    cookie ? { 'set-cookie': `__Host-latchkey-refresh=${refreshToken}; Path=/; Secure; HttpOnly` } : {},
  );
}

function login(
  response: ServerResponse,
  { username = '', password, cookie }: Record<string, unknown>,
): unknown {
  if (password !== 'correct horse battery staple') {
    return send(response, 401, { error: 'invalid_credentials', error_description: 'no', request_id: 'r1' });
  }
  const sid = randomUUID();
  const session = {
    generation: 1,
    key: undefined,
    sub: String(username),
    ver: world.minVer,
    ended: undefined,
  };
  world.sessions.set(sid, session);
  return tokens(response, sid, session, cookie === true);
}

function token(request: IncomingMessage, response: ServerResponse, form: URLSearchParams): unknown {
  const fromCookie = /__Host-latchkey-refresh=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
  const presented = form.get('refresh_token') ?? fromCookie;
  if (presented === undefined) return send(response, 400, { error: 'invalid_request' });
  const [, sid = '', generation] = presented.split('_');
  const session = world.sessions.get(sid);
  if (session === undefined) return send(response, 400, { error: 'invalid_grant', reason: 'unknown' });
  if (session.ended) return send(response, 400, { error: 'invalid_grant', reason: session.ended });
  const key = request.headers['idempotency-key'];
  if (Number(generation) === session.generation) {
    session.generation += 1;
    session.key = String(key);
    session.ver = world.minVer;
  } else if (Number(generation) !== session.generation - 1 || session.key !== key) {
    session.ended = 'reuse';
    return send(response, 400, { error: 'invalid_grant', reason: 'reuse' });
  }
  if (world.loseAnswers-- > 0) return request.socket.destroy();
  return tokens(response, sid, session, fromCookie !== undefined);
}

function logout(request: IncomingMessage, response: ServerResponse, body: string): void {
  const presented = request.headers.cookie ?? body;
  for (const [sid, session] of world.sessions) {
    if (request.url === '/auth/logout/all' || presented.includes(sid)) session.ended = 'ended';
  }
  response.writeHead(204).end();
}

function service(request: IncomingMessage, response: ServerResponse, body: string): unknown {
  const payload = request.headers.authorization?.split('.')[1];
  const refuse = (reason?: string) =>
    send(response, 401, { error: 'invalid_token', ...(reason === undefined ? {} : { reason }) });
  if (payload === undefined) return refuse();
  if (world.refuseWith !== undefined) return refuse(world.refuseWith);
  const { sid, ver } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
    sid: string;
    ver: number;
  };
  if (world.sessions.get(sid)?.ended !== undefined) return refuse('revoked');
  if (ver < world.minVer) return refuse('stale');
  return send(response, 200, { method: request.method, body });
}

/** A client whose clock and chance are in the test's hands. */
function make(options: ClientOptions = {}): { client: Client; clock: { now: number } } {
  const clock = { now: 1_000_000 };
  return {
    client: createClient({ baseUrl: origin, now: () => clock.now, random: () => 0.5, ...options }),
    clock,
  };
}

const password = 'correct horse battery staple';
const refreshes = () => world.calls.filter(({ path }) => path === '/auth/token');
const life = () => world.life * 1000;

test('a sign-in gives the claims, permissions and a bearer on every call', async () => {
  const { client } = make();
  const user = await client.login('grey', password);
  assert.equal(user.preferred_username, 'grëy');
  assert.equal(client.can('records:read'), true);
  assert.equal(client.can('records'), false);
  assert.equal((await client.fetch('/api/patients')).status, 200);
  assert.equal(world.calls.at(-1)?.headers.authorization, `Bearer ${client.accessToken}`);
});

test('a wrong password is a typed error that does not hold it', async () => {
  const { client } = make();
  await assert.rejects(client.login('grey', 'wrong-password-here'), (error) => {
    assert.ok(error instanceof ClientError);
    assert.deepEqual([error.code, error.status, error.requestId], ['invalid_credentials', 401, 'r1']);
    assert.ok(!JSON.stringify([error.message, error]).includes('wrong-password-here'));
    return true;
  });
  assert.equal(client.user, undefined);
});

test('refreshes at the drawn moment between half and nine tenths of the life, not before', async () => {
  for (const [random, share] of [
    [0, 0.5],
    [1, 0.9],
  ] as const) {
    const { client, clock } = make({ random: () => random });
    await client.login('grey', password);
    const before = refreshes().length;
    clock.now += life() * share - 1;
    await client.fetch('/api/patients');
    assert.equal(refreshes().length, before);
    clock.now += 1;
    await client.fetch('/api/patients');
    assert.equal(refreshes().length, before + 1);
  }
});

test('fifty calls at once share one refresh', async () => {
  const { client, clock } = make();
  await client.login('grey', password);
  clock.now += life();
  const answers = await Promise.all(Array.from({ length: 50 }, () => client.fetch('/api/patients')));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(refreshes().length, 1);
});

test('stale: refreshed and repeated once, body and all, with the new roles', async () => {
  const { client } = make();
  await client.login('grey', password);
  world.minVer = 2;
  const response = await client.fetch('/api/patients/1/records', { method: 'POST', body: '{"text":"ok"}' });
  assert.deepEqual(await response.json(), { method: 'POST', body: '{"text":"ok"}' });
  assert.equal(refreshes().length, 1);
  assert.equal(client.user?.['ver'], 2);
});

test('a Request object with a body is repeated too', async () => {
  const { client } = make();
  await client.login('grey', password);
  world.minVer = 2;
  const request = new Request(`${origin}/api/x`, { method: 'POST', body: 'again' });
  assert.deepEqual(await (await client.fetch(request)).json(), { method: 'POST', body: 'again' });
});

test('a service that keeps saying stale is asked twice, never in a loop', async () => {
  const { client } = make();
  await client.login('grey', password);
  world.refuseWith = 'stale';
  assert.equal((await client.fetch('/api/patients')).status, 401);
  assert.equal(world.calls.filter(({ path }) => path === '/api/patients').length, 2);
  assert.equal(refreshes().length, 1);
});

test('a forged or malformed token is no reason to refresh', async () => {
  const { client } = make();
  await client.login('grey', password);
  for (const reason of ['invalid', 'malformed', 'insufficient_scope']) {
    world.refuseWith = reason;
    assert.equal((await client.fetch('/api/patients')).status, 401);
  }
  assert.equal(refreshes().length, 0);
});

test('a lost answer is asked again with the same key and gets the same successor', async () => {
  const { client, clock } = make();
  await client.login('grey', password);
  world.loseAnswers = 1;
  clock.now += life();
  await assert.rejects(client.fetch('/api/patients'), { name: 'ClientError', code: 'unavailable' });
  assert.equal((await client.fetch('/api/patients')).status, 200);
  await client.refresh();
  const [first, second, third] = refreshes().map(({ headers }) => headers['idempotency-key']);
  assert.equal(first, second);
  assert.notEqual(second, third, 'an answered key must not be used again');
  assert.match(String(first), /^[\w-]{16,255}$/);
});

test('a program that died before the answer goes on with the saved key', async () => {
  const storage = memoryStorage();
  const { client } = make({ storage });
  await client.login('grey', password);
  world.loseAnswers = 1;
  await assert.rejects(client.refresh());
  const { client: next } = make({ storage });
  assert.equal((await next.resume())?.sub, 'grey');
});

test('while the auth server is away the token in hand is used to its end, then the error is honest', async () => {
  const { client, clock } = make();
  await client.login('grey', password);
  world.authDown = true;
  clock.now += life() * 0.8;
  for (let call = 0; call < 5; call++) assert.equal((await client.fetch('/api/patients')).status, 200);
  assert.equal(refreshes().length, 1, 'no refresh at every request');
  clock.now += life();
  await assert.rejects(client.fetch('/api/patients'), { code: 'unavailable' });
  world.authDown = false;
  assert.equal((await client.fetch('/api/patients')).status, 200, 'nobody was signed out');
});

test('an ended session: told why, no further refresh, the last refusal is the answer', async () => {
  const { client } = make();
  await client.login('grey', password);
  const changes: unknown[] = [];
  const stop = client.onChange(({ cause, user, reason }) => changes.push([cause, user, reason]));
  for (const session of world.sessions.values()) session.ended = 'disabled';
  assert.equal((await client.fetch('/api/patients')).status, 401);
  assert.deepEqual(changes, [['ended', undefined, 'disabled']]);
  assert.equal((await client.fetch('/api/patients')).status, 401);
  assert.equal(refreshes().length, 1);
  stop();
  await client.login('grey', password);
  assert.equal(changes.length, 1);
});

test('sign-out ends the session at the server and forgets it here', async () => {
  const storage = memoryStorage();
  const { client } = make({ storage });
  await client.login('grey', password);
  await client.logout();
  assert.deepEqual(
    [...world.sessions.values()].map(({ ended }) => ended),
    ['ended'],
  );
  assert.deepEqual(
    [client.user, client.accessToken, await storage.load()],
    [undefined, undefined, undefined],
  );
  assert.equal(await client.resume(), undefined);
});

test('a sign-out that the server did not hear can be repeated', async () => {
  const { client } = make();
  await client.login('grey', password);
  world.authDown = true;
  await assert.rejects(client.logout(), { code: 'unavailable' });
  assert.equal(client.accessToken, undefined);
  world.authDown = false;
  await client.logout();
  assert.deepEqual(
    [...world.sessions.values()].map(({ ended }) => ended),
    ['ended'],
  );
});

test('a request made while signing out does not fetch a token: its answer could bring the session back', async () => {
  const { client } = make();
  await client.login('grey', password);
  const signedOut = client.logout();
  while (client.accessToken !== undefined) await Promise.resolve();
  assert.equal((await client.fetch('/api/patients')).status, 401);
  await signedOut;
  assert.equal(client.user, undefined);
  assert.equal(refreshes().length, 0);
});

test('sign-out everywhere ends the other devices too', async () => {
  const { client: phone } = make();
  const { client: laptop } = make();
  await phone.login('grey', password);
  await laptop.login('grey', password);
  await phone.logoutAll();
  assert.equal((await laptop.fetch('/api/patients')).status, 401);
  assert.equal(laptop.user, undefined);
});

test('the token never goes to another origin', async () => {
  const { client } = make();
  await client.login('grey', password);
  const calls = world.calls.length;
  for (const address of [
    'https://evil.example/',
    `${origin.replace('127.0.0.1', 'localhost')}/api`,
    '//evil.example/x',
  ]) {
    await assert.rejects(client.fetch(address), TypeError);
    await assert.rejects(client.fetch(new Request(new URL(address, origin))), TypeError);
  }
  assert.equal(world.calls.length, calls);
});

test('a request begun by one person is not finished as another', async () => {
  const storage = memoryStorage();
  const { client } = make({ storage });
  const { client: other } = make({ storage });
  await client.login('grey', password);
  await other.login('izzie', password);
  world.refuseWith = 'stale';
  await assert.rejects(client.fetch('/api/patients'), { code: 'user_changed' });
});

test('cookie mode: no refresh token in script, the header of our own script, one key until answered', async () => {
  let jar = '';
  const { client } = make({
    cookie: true,
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers);
      if (jar !== '') headers.set('cookie', jar);
      const response = await fetch(input, { ...init, headers });
      jar = response.headers.getSetCookie()[0]?.split(';')[0] ?? jar;
      return response;
    },
  });
  assert.equal(await client.resume(), undefined, 'no cookie: nobody is signed in, and that is no error');
  await client.login('grey', password);
  assert.match(world.calls.at(-1)?.body ?? '', /"cookie":true/);
  world.loseAnswers = 1;
  await assert.rejects(client.refresh());
  await client.refresh();
  const [, lost, again] = refreshes();
  assert.equal(lost?.headers['idempotency-key'], again?.headers['idempotency-key']);
  assert.deepEqual([again?.body, again?.headers['x-latchkey']], ['grant_type=refresh_token', '1']);
  await client.logout();
  assert.deepEqual(
    [...world.sessions.values()].map(({ ended }) => ended),
    ['ended'],
  );
});
