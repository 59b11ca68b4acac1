// F06: between a verifier and the auth server the network cuts, delays, splits or goes half open. Each time what was revoked meanwhile is in force as soon as the network is well again, and silence is noticed as what it is.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp_proxy.ts';

let server: TestAuthServer;
let proxy: TcpProxy;
let verifier: Verifier;
let moved = 0;
let made = 0;
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
afterEach(() => {
  proxy.mode = 'pass';
  proxy.delay = 0;
});

async function until(condition: () => boolean, words: string): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end && !condition(); ) await pause(5);
  assert.ok(condition(), words);
}

const connected = () => until(() => verifier.status().connected, 'the stream is open');

/** A new session that is accepted; answers its `sid`. */
async function session(): Promise<string> {
  const { username } = await server.createUser(`person${made++}`);
  const { session_id: sid, access_token: token } = await server.login(username, userPassword);
  await verifier.verify(token);
  return sid;
}

async function end(sid: string): Promise<void> {
  const { status } = await server.operator('DELETE', `/auth/admin/sessions/${sid}`);
  assert.equal(status, 204);
}

const inForce = (sid: string) => until(() => verifier.isRevoked({ sid }) === 'revoked', `${sid} is revoked`);

test('cut while nothing, while one and while many things are said: nothing is missed', async () => {
  const { snapshots } = verifier.status().signals ?? { snapshots: 0 };
  for (const many of [0, 1, 5]) {
    await connected();
    const sids: string[] = [];
    for (let i = 0; i < many; i += 1) sids.push(await session());
    proxy.cut();
    await Promise.all(sids.map(end));
    await Promise.all(sids.map(inForce));
  }
  await connected();
  assert.equal(verifier.status().signals?.snapshots, snapshots, 'the position was enough');
});

test('cut in the middle of what is being said, at any byte', async () => {
  for (const bytes of [1, 17, 64, 130, 400, 777]) {
    await connected();
    const sid = await session();
    proxy.cutAfter(bytes);
    await end(sid);
    await inForce(sid);
  }
});

test('nobody is let in for a while, then everything is', async () => {
  await connected();
  const sid = await session();
  proxy.mode = 'refuse';
  proxy.cut();
  await until(() => !verifier.status().connected, 'it notices');
  await end(sid);
  assert.equal(verifier.isRevoked({ sid }), undefined);
  proxy.mode = 'pass';
  await inForce(sid);
});

test('half open: a connection that only one end believes in is given up after 6 s of silence', async () => {
  await connected();
  const sid = await session();
  const { connects } = verifier.status().signals ?? { connects: 0 };
  proxy.swallow();
  await end(sid);
  await pause(300);
  assert.equal(verifier.isRevoked({ sid }), undefined);
  moved += 6_100;
  await inForce(sid);
  await until(() => (verifier.status().signals?.connects ?? 0) > connects, 'another connection');
});

test('a slow network is no fault: late, in order, and fresh', async () => {
  await connected();
  proxy.delay = 150;
  const sids = [await session(), await session()];
  await Promise.all(sids.map(end));
  await Promise.all(sids.map(inForce));
  const { connects } = verifier.status().signals ?? {};
  await until(() => verifier.status().staleForMs < 5_000, 'fresh');
  assert.equal(verifier.status().signals?.connects, connects);
});
