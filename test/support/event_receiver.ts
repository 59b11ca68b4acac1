// A receiver of security events as another company would run it: an HTTP server that takes pushes and keeps what it was sent, and a
// client that polls. jose, not our own code, says whether a token is good.
import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyResult, jwtVerify } from 'jose';
import type { TestAuthServer } from './auth_server.ts';

export const caep = (name: string) => `https://schemas.openid.net/secevent/caep/event-type/${name}`;

export interface Pushed {
  readonly headers: IncomingHttpHeaders;
  readonly token: string;
}

export interface PushReceiver {
  readonly url: string;
  readonly pushed: Pushed[];
  /** How it answers; taken by default. */
  answer: (response: ServerResponse, pushed: Pushed) => unknown;
  close(): Promise<void>;
}

/** `port`: the one it had before it went down. */
export async function startPushReceiver(port = 0): Promise<PushReceiver> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const pushed = { headers: request.headers, token: Buffer.concat(chunks).toString() };
      self.pushed.push(pushed);
      self.answer(response, pushed);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const self: PushReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    pushed: [],
    answer: (response) => response.writeHead(202).end(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return self;
}

export interface EventClaims {
  readonly jti: string;
  readonly txn: string;
  readonly iat: number;
  readonly sub_id: Readonly<Record<string, unknown>>;
  readonly events: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface ReceiverClient {
  readonly id: string;
  readonly secret: string;
  readonly authorization: string;
}

export async function newClient(server: TestAuthServer, name = 'receiver'): Promise<ReceiverClient> {
  const { status, body, text } = await server.operator('POST', '/auth/admin/clients', { name });
  assert.equal(status, 201, text);
  const authorization = `Basic ${Buffer.from(`${body.id}:${body.secret}`).toString('base64')}`;
  return { id: body.id, secret: body.secret, authorization };
}

/** Verified by jose with the published keys, the way RFC 8417 asks for. */
export async function verifyEvent(server: TestAuthServer, token: string, audience: string) {
  const jwks = JSON.parse((await server.call('GET', '/auth/.well-known/jwks.json')).text) as JSONWebKeySet;
  const options = { issuer: server.issuer, audience, typ: 'secevent+jwt' };
  return (await jwtVerify(
    token,
    createLocalJWKSet(jwks),
    options,
  )) as unknown as JWTVerifyResult<EventClaims>;
}

export interface Polled {
  readonly sets: Readonly<Record<string, string>>;
  readonly moreAvailable: boolean;
}

export async function poll(
  server: TestAuthServer,
  client: ReceiverClient,
  body: Readonly<Record<string, unknown>> = { returnImmediately: true },
): Promise<Polled> {
  const { authorization } = client;
  const answer = await server.call('POST', '/auth/events/poll', { body, headers: { authorization } });
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text) as Polled;
}

/** Everything that waits, verified and acknowledged, in order. */
export async function takeAll(server: TestAuthServer, client: ReceiverClient): Promise<EventClaims[]> {
  const taken: EventClaims[] = [];
  let ack: string[] = [];
  for (;;) {
    const { sets } = await poll(server, client, { returnImmediately: true, ack });
    ack = Object.keys(sets);
    if (ack.length === 0) return taken;
    for (const [jti, token] of Object.entries(sets)) {
      const { payload } = await verifyEvent(server, token, client.id);
      assert.equal(payload.jti, jti);
      taken.push(payload);
    }
  }
}

/** Waits generously: how soon it is belongs to the proofs. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 2000; i += 1) {
    if (await condition()) return;
    await pause(10);
  }
  assert.fail(`never: ${what}`);
}
