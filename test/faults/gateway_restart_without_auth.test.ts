// The auth server is stopped, the gateway is killed and starts alone, on real processes: from its copy on the disk it goes on
// serving ordinary routes, remembers what was revoked, refuses sensitive routes once its news are older than 10 s, and is well
// again when the auth server is back.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts } from '../../packages/latchkey/src/processes/ports.ts';
import { type Answer, call, latchkey, launch, makeFolder, removeFolder, signIn } from '../system/cli_run.ts';

const password = 'a long first password';
const publicUrl = 'http://localhost:4711';

/** Asks until the answer has this status. */
async function until(status: number, ask: () => Promise<Answer>): Promise<Answer> {
  for (const end = performance.now() + 60_000; performance.now() < end; await pause(50)) {
    const answer = await ask();
    if (answer.status === status) return answer;
  }
  throw new Error(`waited in vain for ${status}`);
}

test('a gateway that is started while the auth server is away serves from its disk', async (t) => {
  const service = createServer((_request, response) => response.end('{}'));
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    service.closeAllConnections();
    service.close();
  });
  const upstreams = [`http://127.0.0.1:${(service.address() as AddressInfo).port}`];
  const folder = makeFolder();
  const edge = join(folder, 'edge');
  mkdirSync(edge);
  t.after(() => removeFolder(folder));
  const [authPort, gatewayPort] = await freePorts(2);
  const authUrl = `http://127.0.0.1:${authPort}`;
  const url = `http://127.0.0.1:${gatewayPort}`;
  const routes = [
    { prefix: '/open', upstreams, access: 'authenticated' },
    { prefix: '/vault', upstreams, access: 'authenticated', sensitive: true },
  ];
  writeFileSync(join(edge, 'latchkey.config.json'), JSON.stringify({ publicUrl, authUrl, routes }));

  const startAuth = async () => {
    const env = { LATCHKEY_ADMIN_PASSWORD: password, LATCHKEY_PUBLIC_URL: publicUrl };
    const auth = launch(['auth', '--auth-port', String(authPort)], { folder, env });
    t.after(() => auth.stop('SIGKILL'));
    await auth.until(/listens on/);
    return auth;
  };
  const startGateway = async () => {
    const gateway = launch(['gateway', '--port', String(gatewayPort)], { folder: edge });
    t.after(() => gateway.stop('SIGKILL'));
    const [, metrics] = await gateway.until(/health and metrics on (http:\S+?)\)/);
    return { ...gateway, metrics: `${metrics}/metrics` };
  };

  let auth = await startAuth();
  let gateway = await startGateway();
  const [token, dead] = [await signIn(url, 'admin', password), await signIn(url, 'admin', password)];
  const { sid } = JSON.parse(Buffer.from(dead.split('.')[1]!, 'base64url').toString()) as { sid: string };
  await until(200, () => call(url, '/vault', { token: dead }));
  assert.equal((await latchkey(['session', 'end', sid], { folder })).code, 0);
  await until(401, () => call(url, '/open', { token: dead }));
  await auth.stop();
  const stateFile = join(edge, 'data/gateway/verifier.json');
  const written = () => statSync(stateFile, { throwIfNoEntry: false }) !== undefined;
  while (!written() || !readFileSync(stateFile, 'utf8').includes(sid)) await pause(50);
  assert.equal(statSync(stateFile).mode & 0o777, 0o600);

  await gateway.stop('SIGKILL');
  gateway = await startGateway();
  assert.equal((await call(url, '/open', { token })).status, 200);
  const refused = await call(url, '/open', { token: dead });
  assert.deepEqual([refused.status, refused.body.reason], [401, 'revoked']);
  const stale = await until(503, () => call(url, '/vault', { token }));
  assert.deepEqual([stale.body.error, stale.body.reason], ['temporarily_unavailable', 'signals_stale']);
  assert.equal((await call(url, '/open', { token })).status, 200);
  assert.equal((await call(url, '/auth/me', { token })).status, 502);
  const metrics = await (await fetch(gateway.metrics)).text();
  assert.match(metrics, /^latchkey_gateway_verifier_connected 0$/m);
  assert.match(metrics, /^latchkey_gateway_verifier_decides\{routes="sensitive"\} 0$/m);
  assert.match(metrics, /^latchkey_gateway_verifier_decides\{routes="normal"\} 1$/m);

  auth = await startAuth();
  await until(200, () => call(url, '/vault', { token }));
  assert.equal((await call(url, '/open', { token: dead })).status, 401);
  assert.deepEqual([(await gateway.stop()).code, (await auth.stop()).code], [0, 0]);
});
