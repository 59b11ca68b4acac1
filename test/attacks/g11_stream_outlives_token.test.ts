// G11 (ASVS 4.4.2): a WebSocket or event stream that goes on after its token was revoked or has expired; a WebSocket without a
// token, or with one where the service would see it.
import assert from 'node:assert/strict';
import { get, type ServerResponse } from 'node:http';
import { it } from 'node:test';
import { type AccessTokenClaims, generateKeyPair } from '@latchkey/core';
import { createVerifier } from '@latchkey/core/verifier';
import { createGateway } from '../../packages/gateway/src/index.ts';
import {
  headersNamed,
  type RawAnswer,
  rawClient,
  sendOnce,
} from '../../packages/gateway/test_support/raw_client.ts';
import {
  audience,
  issuer,
  jwks,
  type Seen,
  startGateway,
  startUpstream,
  startWebSocketUpstream,
  tokenWith,
  until,
  valuesOf,
} from '../../packages/gateway/test_support/stage.ts';
import { movedClock } from '../support/clock.ts';
import { startIssuer } from '../support/issuer.ts';

const handshake = (path: string, fields: string) =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${fields}\r\n`;

/** Opens an event stream; `closed` turns true when it ends. */
function openStream(port: number, path: string, token: string): Promise<{ closed: boolean }> {
  return new Promise((resolve, reject) => {
    const state = { closed: false };
    get({ port, path, headers: { Authorization: `Bearer ${token}` } }, (response) => {
      response.on('close', () => {
        state.closed = true;
      });
      response.on('error', () => {});
      response.once('data', () => resolve(state));
      if (response.statusCode !== 200) reject(new Error(`${response.statusCode}`));
    }).on('error', reject);
  });
}

const eventStream = () =>
  startUpstream((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
    response.write('data: 1\n\n');
  });

it('G11: a revocation closes the streams that it hits, and no others', async (t) => {
  const signals = await startIssuer();
  t.after(() => signals.close());
  const [events, sockets] = [await eventStream(), await startWebSocketUpstream()];
  t.after(() => Promise.all([events.close(), sockets.close()]));
  const gateway = createGateway({
    issuer: signals.issuer,
    audience: signals.audience,
    routes: [
      { prefix: '/events', upstreams: [events.origin], access: 'authenticated' },
      { prefix: '/socket', upstreams: [sockets.origin], access: 'authenticated' },
    ],
    closeTimeout: 100,
  });
  t.after(() => gateway.close());
  const { port } = await gateway.listen();
  await gateway.ready();

  const hit = await openStream(port, '/events', signals.token({ sid: 'hit' }));
  const spared = await openStream(port, '/events', signals.token({ sid: 'spared' }));
  const socket = await rawClient(port);
  assert.equal(
    (await socket.send(handshake('/socket', `Authorization: Bearer ${signals.token({ sid: 'hit' })}\r\n`)))
      .status,
    101,
  );
  let socketClosed = false;
  socket.socket.on('close', () => {
    socketClosed = true;
  });
  signals.revoke({ by: 'sid', value: 'hit', until: Date.now() + 600_000 });
  await until(() => hit.closed && socketClosed && sockets.tunnels.size === 0);
  assert.equal(spared.closed, false);
  assert.equal(
    (await sendOnce(port, handshake('/socket', `Authorization: Bearer ${signals.token({ sid: 'hit' })}\r\n`)))
      ?.status,
    401,
  );
});

/** What each kind of mark hits, and what is spared although it is nearly the same. */
const kinds: readonly (readonly [
  kind: 'revoke' | 'stale',
  mark: { readonly by: string; readonly value: string; readonly below?: number },
  hit: Partial<AccessTokenClaims>,
  spared: Partial<AccessTokenClaims>,
])[] = [
  ['revoke', { by: 'jti', value: 'j-hit' }, { jti: 'j-hit' }, { jti: 'j-spared' }],
  ['revoke', { by: 'sid', value: 's-hit' }, { sid: 's-hit' }, { sid: 's-spared' }],
  ['revoke', { by: 'client', value: 'c-hit' }, { client_id: 'c-hit' }, { client_id: 'c-spared' }],
  ['revoke', { by: 'sub', value: 'u-hit', below: 3 }, { sub: 'u-hit', ver: 2 }, { sub: 'u-hit', ver: 3 }],
  [
    'stale',
    { by: 'sub', value: 'u-stale', below: 3 },
    { sub: 'u-stale', ver: 2 },
    { sub: 'u-stale', ver: 3 },
  ],
  [
    'stale',
    { by: 'role', value: 'nurse', below: 8 },
    { roles: ['cook', 'nurse'], rver: 7 },
    { roles: ['cook', 'nurse'], rver: 8 },
  ],
];

for (const how of ['stream', 'poll'] as const) {
  it(`G11: every kind of mark closes what it hits, learned by ${how === 'poll' ? 'snapshot' : 'stream'}`, async (t) => {
    const signals = await startIssuer();
    t.after(() => signals.close());
    const events = await eventStream();
    t.after(() => events.close());
    const { signingKey: leaked } = generateKeyPair('ES256');
    signals.keys.push(leaked);
    const gateway = createGateway({
      issuer: signals.issuer,
      audience: signals.audience,
      signals: how,
      pollInterval: 500,
      routes: [{ prefix: '/events', upstreams: [events.origin], access: 'authenticated' }],
      closeTimeout: 100,
    });
    t.after(() => gateway.close());
    const { port } = await gateway.listen();
    await gateway.ready();
    const open = (claims: Partial<AccessTokenClaims>, key?: typeof leaked) =>
      openStream(port, '/events', signals.token(claims, key));
    const hit = await Promise.all([...kinds.map(([, , claims]) => open(claims)), open({}, leaked)]);
    const spared = await Promise.all([...kinds.map(([, , , claims]) => open(claims)), open({})]);

    for (const [kind, mark] of kinds) signals[kind]({ ...mark, until: Date.now() + 600_000 });
    signals.revoke({ by: 'kid', value: leaked.kid });
    await until(() => hit.every(({ closed }) => closed));
    assert.deepEqual(
      spared.map(({ closed }) => closed),
      spared.map(() => false),
    );
  });
}

it('G11: a revocation that comes before the first byte of a stream ends it too', async (t) => {
  const signals = await startIssuer();
  t.after(() => signals.close());
  let held: ServerResponse | undefined;
  const events = await startUpstream((_request, response) => {
    if (held === undefined) held = response;
    else response.end();
  });
  t.after(() => events.close());
  const gateway = createGateway({
    issuer: signals.issuer,
    audience: signals.audience,
    routes: [{ prefix: '/', upstreams: [events.origin], access: 'authenticated' }],
    closeTimeout: 100,
  });
  t.after(() => gateway.close());
  const { port } = await gateway.listen();
  await gateway.ready();

  const headers = { Authorization: `Bearer ${signals.token({ sid: 'hit' })}` };
  let closed = false;
  const request = get({ port, path: '/', headers }, (response) => response.resume());
  request.on('error', () => {});
  request.on('close', () => {
    closed = true;
  });
  await until(() => held !== undefined);
  signals.revoke({ by: 'sid', value: 'hit', until: Date.now() + 600_000 });
  const probe = `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: ${headers.Authorization}\r\n\r\n`;
  while ((await sendOnce(port, probe))?.status !== 401);
  held?.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n');
  await until(() => closed);
});

it('G11: streams end with their token; a download does not', async (t) => {
  const clock = movedClock();
  const events = await eventStream();
  t.after(() => events.close());
  const download = await startUpstream((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    response.write('part');
  });
  t.after(() => download.close());
  const gateway = createGateway({
    verifier: createVerifier({ issuer, audience, jwks, now: clock.now }),
    now: clock.now,
    closeTimeout: 100,
    routes: [
      { prefix: '/events', upstreams: [events.origin], access: 'authenticated' },
      { prefix: '/open', upstreams: [events.origin], access: 'public' },
      { prefix: '/download', upstreams: [download.origin], access: 'authenticated' },
    ],
  });
  t.after(() => gateway.close());
  const { port } = await gateway.listen();
  const dying = await openStream(port, '/events', tokenWith());
  const open = await openStream(port, '/open', tokenWith());
  const file = await openStream(port, '/download', tokenWith());
  clock.move(301);
  await until(() => dying.closed);
  assert.deepEqual([open.closed, file.closed], [false, false]);
});

it('G11: a WebSocket is checked before its handshake leaves', async (t) => {
  const upstream = await startWebSocketUpstream('app');
  t.after(() => upstream.close());
  const gateway = await startGateway({
    routes: [{ prefix: '/socket', upstreams: [upstream.origin], access: { permission: 'records:read' } }],
  });
  t.after(() => gateway.close());
  const open = async (fields: string) =>
    (await sendOnce(gateway.port, handshake('/socket', fields))) as RawAnswer;
  const token = tokenWith();

  const refused: readonly (readonly [string, number])[] = [
    ['', 401],
    ['Authorization: Bearer nonsense\r\n', 401],
    [`Cookie: access_token=${token}\r\n`, 401],
    ['Sec-WebSocket-Protocol: app, latchkey.bearer.nonsense\r\n', 401],
    [`Sec-WebSocket-Protocol: latchkey.bearer.${token}, latchkey.bearer.${token}\r\n`, 401],
    [`Authorization: Bearer ${tokenWith({ scope: 'other' })}\r\n`, 403],
  ];
  for (const [fields, status] of refused)
    assert.equal((await open(fields)).status, status, fields.replaceAll(token, '…'));
  assert.equal(upstream.seen.length, 0);

  const forged = 'X-Auth-Subject: admin\r\nConnection: X-Auth-Roles\r\n';
  assert.equal((await open(`Authorization: Bearer ${token}\r\n${forged}`)).status, 101);
  const answer = await open(`Sec-WebSocket-Protocol: app, latchkey.bearer.${token}\r\n${forged}`);
  assert.equal(answer.status, 101);
  assert.deepEqual(headersNamed(answer, 'sec-websocket-protocol'), ['app']);
  for (const seen of upstream.seen as Seen[]) {
    assert.deepEqual(valuesOf(seen, 'x-auth-subject'), ['u1']);
    assert.deepEqual(valuesOf(seen, 'x-auth-roles'), ['doctor']);
    assert.deepEqual(valuesOf(seen, 'authorization'), [`Bearer ${token}`]);
    assert.deepEqual(valuesOf(seen, 'upgrade'), ['websocket']);
  }
  assert.deepEqual(valuesOf(upstream.seen.at(-1) as Seen, 'sec-websocket-protocol'), ['app']);
});
