// A small real server that keeps the wire contract (rotation, grace by Idempotency-Key, reasons) and misbehaves when it is
// told to. A test file that imports this has one of its own, which begins anew for every test.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach } from 'node:test';
import type { AccessTokenClaims } from '@latchkey/core';
import type { Claims } from '../src/claims.ts';
import { type Client, createClient } from '../src/client.ts';
import type { ClientOptions } from '../src/client_options.ts';

interface Session {
  generation: number;
  key: string | undefined;
  sub: string;
  ver: number;
  ended: string | undefined;
}

/** What the server saw and how it is told to misbehave. */
export const world = {
  sessions: new Map<string, Session>(),
  calls: [] as { path: string; headers: IncomingMessage['headers']; body: string }[],
  minVer: 1,
  /** Rotations whose answer is lost on the way back. */
  loseAnswers: 0,
  authDown: false,
  /** What the answer of a rotation waits for once its tokens are made. */
  holdAnswers: Promise.resolve(),
  refuseWith: undefined as string | undefined,
  life: 300,
};

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(request, response, Buffer.concat(chunks).toString()));
});
export let origin = '';

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  const holdAnswers = Promise.resolve();
  Object.assign(world, { minVer: 1, loseAnswers: 0, authDown: false, holdAnswers, life: 300 });
  world.refuseWith = undefined;
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
  const issued = { ...session };
  return world.holdAnswers.then(() => tokens(response, sid, issued, fromCookie !== undefined));
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
export function make(options: ClientOptions = {}): { client: Client; clock: { now: number } } {
  const clock = { now: 1_000_000 };
  return {
    client: createClient({ baseUrl: origin, now: () => clock.now, random: () => 0.5, ...options }),
    clock,
  };
}

export const password = 'correct horse battery staple';
export const refreshes = () => world.calls.filter(({ path }) => path === '/auth/token');
export const life = () => world.life * 1000;
