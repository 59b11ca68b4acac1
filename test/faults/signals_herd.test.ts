// F06: a thundering herd. Fifty verifiers start at once and lose their connection at once: they come back one after the other, the
// snapshot is not made for each of them, and all of them know in the end what was revoked meanwhile.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createVerifier, type Fetch, type Verifier } from '@latchkey/core/verifier';
import { startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp_proxy.ts';

const size = 50;
let server: TestAuthServer;
let proxy: TcpProxy;
const verifiers: Verifier[] = [];
const asked = { streams: [] as number[], snapshots: 0, signatures: new Set<string>() };

const fetching: Fetch = async (url, init) => {
  if (url.endsWith('/signals')) asked.streams.push(performance.now());
  const response = await fetch(url, init);
  if (url.endsWith('/signals/snapshot')) {
    asked.snapshots += 1;
    asked.signatures.add(response.headers.get('latchkey-signature') ?? 'none');
  }
  return response;
};

before(async () => {
  server = await startAuthServer({ limits: { streamsPerAddress: 2 * size } });
  proxy = await startTcpProxy(server.url);
});
after(async () => {
  for (const verifier of verifiers) verifier.close();
  await proxy.close();
  await server.close();
});

async function until(condition: () => boolean, words: string): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end && !condition(); ) await pause(5);
  assert.ok(condition(), words);
}

const allConnected = () =>
  until(() => verifiers.every((verifier) => verifier.status().connected), 'all are connected');

test('fifty start at once: the snapshot is made for all of them together', async () => {
  for (let i = 0; i < size; i += 1) {
    verifiers.push(
      createVerifier({
        issuer: server.issuer,
        audience: server.audience,
        issuerAddress: `${proxy.origin}/auth`,
        fetch: fetching,
      }),
    );
  }
  await Promise.all(verifiers.map((verifier) => verifier.ready(30_000)));
  await allConnected();
  assert.equal(asked.snapshots, size);
  // A signature holds for a second; fifty of them would be one for each.
  assert.ok(asked.signatures.size <= size / 4, `${asked.signatures.size} were made`);
});

test('all are cut at once: they come back spread out, by their position, and miss nothing', async () => {
  const sids: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    const { username } = await server.createUser(`herd${i}`);
    sids.push((await server.login(username, userPassword)).session_id);
  }
  asked.streams.length = 0;
  const { snapshots } = asked;
  proxy.cut();
  for (const sid of sids) {
    const { status } = await server.operator('DELETE', `/auth/admin/sessions/${sid}`);
    assert.equal(status, 204);
  }
  const knowsAll = (verifier: Verifier) => sids.every((sid) => verifier.isRevoked({ sid }) === 'revoked');
  await until(() => verifiers.every(knowsAll), 'all of them know');
  await allConnected();
  assert.ok(asked.streams.length >= size);
  const first = asked.streams.slice(0, size);
  // Drawn from the first 400 ms: even a machine that stands still now and then does not bring all of them into one moment.
  assert.ok(Math.max(...first) - Math.min(...first) > 40, 'they came in one moment');
  assert.equal(asked.snapshots, snapshots, 'positions were enough');
});
