// F05, the limits: with the auth server silent, a gateway refuses sensitive routes after 10 s and all that need a token after five
// minutes, with 503 and how to go on; public routes and the way to the auth server stay open, so that the cure is never cut
// off. By moved clocks, those of the auth server too.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { createGateway } from '../../packages/gateway/src/index.ts';
import { startUpstream, type Upstream } from '../../packages/gateway/test_support/stage.ts';
import { startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp_proxy.ts';

let server: TestAuthServer;
let proxy: TcpProxy;
let upstream: Upstream;
let verifier: Verifier;
let gateway: ReturnType<typeof createGateway>;
let origin: string;
let moved = 0;
before(async () => {
  server = await startAuthServer({ accessTokenLife: 600, now: () => Date.now() + moved });
  proxy = await startTcpProxy(server.url);
  upstream = await startUpstream();
  verifier = createVerifier({
    issuer: server.issuer,
    audience: server.audience,
    issuerAddress: `${proxy.origin}/auth`,
    now: () => Date.now() + moved,
    monotonic: () => performance.now() + moved,
  });
  const routes = [
    { prefix: '/records', upstreams: [upstream.origin], access: 'authenticated' },
    { prefix: '/transfers', upstreams: [upstream.origin], access: 'authenticated', sensitive: true },
    { prefix: '/news', upstreams: [upstream.origin], access: 'public' },
  ] as const;
  gateway = createGateway({ verifier, routes, authUpstream: server.url, closeTimeout: 100 });
  origin = `http://127.0.0.1:${(await gateway.listen()).port}`;
  await gateway.ready();
});
after(async () => {
  await gateway.close();
  verifier.close();
  await upstream.close();
  await proxy.close();
  await server.close();
});

async function at(path: string, token: string) {
  const answer = await fetch(`${origin}${path}`, { headers: { authorization: `Bearer ${token}` } });
  const text = await answer.text();
  const { reason } = text.startsWith('{') ? (JSON.parse(text) as { reason?: string }) : {};
  return { status: answer.status, reason, retryAfter: answer.headers.get('retry-after') };
}

async function statuses(token: string): Promise<number[]> {
  const paths = ['/records', '/transfers', '/news', '/auth/.well-known/jwks.json'];
  return await Promise.all(paths.map(async (path) => (await at(path, token)).status));
}

async function until(condition: () => boolean, words: string): Promise<void> {
  for (let i = 0; i < 3_000 && !condition(); i += 1) await pause(5);
  assert.ok(condition(), words);
}

test('silence: sensitive routes after 10 s, the others when the longest token is over, the cure never', async () => {
  await server.createUser('mina');
  const { access_token: token, session_id: sid } = await server.login('mina', userPassword);
  await until(() => verifier.status().connected, 'the stream is open');
  assert.deepEqual(await statuses(token), [200, 200, 200, 200]);
  proxy.mode = 'refuse';
  proxy.cut();
  await until(() => !verifier.status().connected, 'the stream is cut');

  moved += 7_000;
  assert.deepEqual(await statuses(token), [200, 200, 200, 200]);
  moved += 4_000;
  assert.deepEqual(await statuses(token), [200, 503, 200, 200]);
  const refused = await at('/transfers', token);
  assert.equal(refused.reason, 'signals_stale');
  assert.match(refused.retryAfter ?? '', /^\d+$/);
  // What was revoked meanwhile cannot be known here; that is what the limits are for.
  const ended = await server.operator('DELETE', `/auth/admin/sessions/${sid}`);
  assert.equal(ended.status, 204);
  moved += 570_000;
  assert.deepEqual(await statuses(token), [200, 503, 200, 200]);
  moved += 30_000;
  assert.deepEqual(await statuses(token), [503, 503, 200, 200]);
  assert.equal((await at('/records', token)).reason, 'signals_stale');

  proxy.mode = 'pass';
  await until(() => verifier.status().connected && verifier.status().staleForMs < 5_000, 'fresh again');
  await until(() => verifier.isRevoked({ sid }) === 'revoked', 'what was missed is known');
  assert.deepEqual(await statuses(token), [401, 401, 200, 200]);
  const { access_token: next } = await server.login('mina', userPassword);
  assert.deepEqual(await statuses(next), [200, 200, 200, 200]);
});
