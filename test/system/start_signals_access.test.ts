// Who may read the signals, on real processes: `latchkey start` gives its own parts what they need, and strangers find nothing.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { call, latchkey, makeFolder, removeFolder, signIn, startSystem } from './cli_run.ts';

const password = 'a long first password';

const statusOf = async (url: string) => {
  const response = await fetch(url);
  await response.body?.cancel();
  return response.status;
};

for (const [access, strangers] of [
  ['registered', 401],
  ['internal', 404],
] as const) {
  test(`signals.access ${access}: strangers get ${strangers}, and a sign-out still reaches the gateway`, async (t) => {
    const service = createServer((_request, response) => response.end('{}'));
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    t.after(() => service.close());
    const upstreams = [`http://127.0.0.1:${(service.address() as AddressInfo).port}`];
    const routes = [{ prefix: '/notes', upstreams, access: 'authenticated' }];
    const folder = makeFolder();
    t.after(() => removeFolder(folder));
    writeFileSync(join(folder, 'latchkey.config.json'), JSON.stringify({ signals: { access }, routes }));
    const system = await startSystem([], { folder, env: { LATCHKEY_ADMIN_PASSWORD: password } });
    t.after(() => system.stop('SIGKILL'));
    const { public_url: url, auth } = system.facts;
    for (const path of ['/auth/signals', '/auth/signals/snapshot']) {
      assert.equal(await statusOf(url + path), strangers, path);
      assert.equal(await statusOf(auth.address + path), strangers, path);
    }
    const snapshot = await statusOf(`${auth.internal}/auth/signals/snapshot`);
    assert.equal(snapshot, access === 'internal' ? 200 : 404);

    const token = await signIn(url, 'admin', password);
    assert.equal((await call(url, '/notes', { token })).status, 200);
    const ended = await latchkey(['session', 'end', '--user', 'admin', '--wait=30'], { folder });
    assert.match(ended.out, /^applied by gateway [\w-]{8}$/m, ended.err);
    assert.equal((await call(url, '/notes', { token })).body.reason, 'revoked');
    assert.equal((await system.stop()).code, 0);
  });
}
