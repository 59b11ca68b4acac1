// F06: a black hole. Connections are accepted and nothing comes any more, on old ones and new ones, kept ones included; nobody ever says
// that they are dead. The verifier grows stale and says so, and when the network is well again it does not wait long for answers
// that will never come.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp_proxy.ts';

let server: TestAuthServer;
let proxy: TcpProxy;
let verifier: Verifier;
let moved = 0;
before(async () => {
  server = await startAuthServer();
  proxy = await startTcpProxy(server.url);
  verifier = createVerifier({
    issuer: server.issuer,
    audience: server.audience,
    issuerAddress: `${proxy.origin}/auth`,
    monotonic: () => performance.now() + moved,
  });
  await verifier.ready();
});
after(async () => {
  verifier.close();
  await proxy.close();
  await server.close();
});

async function until(condition: () => boolean, words: string): Promise<void> {
  for (const end = performance.now() + 25_000; performance.now() < end && !condition(); ) await pause(5);
  assert.ok(condition(), words);
}

test('a black hole, and out of it again', async () => {
  await until(() => verifier.status().connected, 'the stream is open');
  const { username } = await server.createUser('mina');
  const { access_token: token, session_id: sid } = await server.login(username, userPassword);
  await verifier.verify(token, { sensitive: true });
  proxy.mode = 'swallow';
  proxy.swallow();
  const { status } = await server.operator('DELETE', `/auth/admin/sessions/${sid}`);
  assert.equal(status, 204);
  moved += 10_500;
  await until(() => !verifier.status().connected, 'the silence is noticed');
  assert.ok(verifier.verifySync(token));
  assert.throws(() => verifier.verifySync(token, { sensitive: true }), { code: 'signals_stale' });

  proxy.mode = 'pass';
  await until(() => verifier.isRevoked({ sid }) === 'revoked', 'what was missed is known');
  await until(() => verifier.status().connected, 'the stream is open again');
  assert.throws(() => verifier.verifySync(token, { sensitive: true }), { code: 'revoked' });
});
