// F05: the auth server is gone and the gateway is not. Ordinary routes go on with what is known, a gateway that is started meanwhile
// serves from its disk copy, revocations of before stay in force, and when the auth server is back everybody hears it again.
// Real processes; the long limits are in auth_down_limits.test.ts, where clocks can be moved.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createGateway } from '../../packages/gateway/src/index.ts';
import { startUpstream } from '../../packages/gateway/test_support/stage.ts';
import { adminPassword, testIssuer } from '../support/auth_server.ts';
import { type SpawnedAuth, spawnAuth } from '../support/spawned_auth.ts';

const parent = mkdtempSync(join(tmpdir(), 'lk-auth-down-'));
const dataDir = join(parent, 'data');
const stateFile = join(parent, 'state.json');
const endings: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const end of endings.reverse()) await end();
  rmSync(parent, { recursive: true, force: true, maxRetries: 20 });
});

async function startAuth(port = 0): Promise<SpawnedAuth> {
  const auth = await spawnAuth({ dataDir, listen: { host: '127.0.0.1', port } });
  assert.equal(auth.refused, undefined, auth.message);
  endings.push(() => auth.stop());
  return auth;
}

async function startGateway(authUpstream: string, upstream: string): Promise<string> {
  const gateway = createGateway({
    issuer: testIssuer,
    audience: new URL(testIssuer).origin,
    authUpstream,
    stateFile,
    routes: [{ prefix: '/records', upstreams: [upstream], access: 'authenticated' }],
    closeTimeout: 100,
  });
  endings.push(() => gateway.close());
  const { port } = await gateway.listen();
  await gateway.ready();
  return `http://127.0.0.1:${port}`;
}

async function login(origin: string): Promise<{ status: number; token: string; refresh: string }> {
  const answer = await fetch(`${origin}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: adminPassword }),
  });
  const body = (await answer.json()) as Record<string, string>;
  return { status: answer.status, token: body['access_token'] ?? '', refresh: body['refresh_token'] ?? '' };
}

async function statusAt(origin: string, token: string): Promise<number> {
  const answer = await fetch(`${origin}/records`, { headers: { authorization: `Bearer ${token}` } });
  await answer.arrayBuffer();
  return answer.status;
}

async function eventually(condition: () => Promise<boolean> | boolean, words: string): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`waited in vain: ${words}`);
}

const sidOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sid;

test('killed, served on, restarted meanwhile, and back again', async () => {
  const upstream = await startUpstream();
  endings.push(() => upstream.close());
  const auth = await startAuth();
  const port = Number(new URL(auth.address).port);
  const origin = await startGateway(auth.address, upstream.origin);
  const [good, gone] = [await login(origin), await login(origin)];
  for (const { token } of [good, gone]) assert.equal(await statusAt(origin, token), 200);
  const out = await fetch(`${origin}/auth/logout`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gone.token}` },
  });
  assert.equal(out.status, 204);
  await eventually(async () => (await statusAt(origin, gone.token)) === 401, 'the sign-out is in force');
  const isKept = () => existsSync(stateFile) && readFileSync(stateFile, 'utf8').includes(sidOf(gone.token));
  await eventually(isKept, 'it is on disk');

  await auth.kill();
  assert.deepEqual([await statusAt(origin, good.token), await statusAt(origin, gone.token)], [200, 401]);
  const refused = await login(origin);
  assert.ok([502, 503, 504].includes(refused.status), String(refused.status));

  const restarted = await startGateway(auth.address, upstream.origin);
  assert.deepEqual(
    [await statusAt(restarted, good.token), await statusAt(restarted, gone.token)],
    [200, 401],
  );

  await startAuth(port);
  let late = '';
  await eventually(async () => {
    const { status, token } = await login(origin);
    late = token;
    return status === 200;
  }, 'sign-ins work again');
  for (const gateway of [origin, restarted]) {
    assert.equal(await statusAt(gateway, late), 200);
    assert.equal(await statusAt(gateway, gone.token), 401);
  }
  await fetch(`${origin}/auth/logout`, { method: 'POST', headers: { authorization: `Bearer ${late}` } });
  for (const gateway of [origin, restarted])
    await eventually(async () => (await statusAt(gateway, late)) === 401, 'new revocations arrive again');
});
