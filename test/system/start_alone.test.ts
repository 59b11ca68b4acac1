// `latchkey start` with nothing configured, on real processes: it runs, signs people in through the gateway, refuses what
// it should, stops in order, and leaves nothing behind however it ends.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { allGone, call, launch, makeFolder, removeFolder, signIn, startSystem } from './cli_run.ts';

const folder = makeFolder();
after(() => removeFolder(folder));

test('a first start makes an administrator, and a second start loses nothing', async () => {
  const first = await startSystem([], { folder });
  const { first_admin: admin, public_url: url } = first.facts;
  assert.ok(admin !== undefined && admin.password.length >= 15);
  const token = await signIn(url, admin.username, admin.password);
  assert.equal((await call(url, '/auth/me', { token })).body.username, admin.username);
  assert.equal((await first.stop()).code, 0);
  await allGone(Object.values(first.facts.pids));

  const second = await startSystem([], { folder });
  assert.equal(second.facts.first_admin, undefined);
  await signIn(second.facts.public_url, admin.username, admin.password);
  await second.stop();
  for (const text of [
    first.text(),
    second.text(),
    readFileSync(join(folder, 'data/logs/auth.log'), { encoding: 'utf8', flag: 'a+' }),
  ]) {
    assert.ok(!text.replace(/^\{.*\}$/m, '').includes(admin.password), 'the password is in a log');
  }
});

test('signing out ends the token at the gateway', async () => {
  const here = makeFolder();
  const env = { LATCHKEY_ADMIN_PASSWORD: 'long enough for a test' };
  const system = await startSystem([], { folder: here, env });
  const url = system.facts.public_url;
  assert.equal(system.facts.first_admin, undefined, 'a password that was given is not printed');
  const token = await signIn(url, 'admin', env.LATCHKEY_ADMIN_PASSWORD);
  assert.equal((await call(url, '/auth/logout', { method: 'POST', token })).status, 204);
  assert.equal((await call(url, '/auth/me', { token })).status, 401);
  assert.equal((await call(url, '/nowhere', { token })).status, 404);
  await system.stop('SIGINT');
  removeFolder(here);
});

test('SIGKILL of the parent leaves no child behind, and the data can be opened again', async () => {
  const here = makeFolder();
  const system = await startSystem([], { folder: here });
  await system.stop('SIGKILL');
  await allGone(Object.values(system.facts.pids));
  const again = await startSystem([], { folder: here });
  await again.stop();
  removeFolder(here);
});

test('a part that is killed is started again, at the same address', async () => {
  const here = makeFolder();
  const system = await startSystem([], { folder: here });
  const { facts, child } = system;
  process.kill(facts.pids['auth']!, 'SIGKILL');
  await system.until(/auth is back/);
  const { password } = facts.first_admin!;
  await signIn(facts.public_url, 'admin', password);
  assert.equal(child.exitCode, null);
  await system.stop();
  removeFolder(here);
});

test('a port that was named and is taken is said with its setting, and nothing stays running', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  const { code, err } = await launch(['start', '--port', String(port)], { folder }).end;
  taken.close();
  assert.equal(code, 1);
  assert.equal(
    err,
    `latchkey: port ${port} is taken by another program\nhint: name another one: port (LATCHKEY_PORT); 0 chooses a free one\n`,
  );
});

test('a second system on the same data is refused, with who holds it', async () => {
  const here = makeFolder();
  const system = await startSystem([], { folder: here });
  const { code, err } = await launch(['start'], {
    folder: here,
    env: { LATCHKEY_PORT: '0', LATCHKEY_AUTH_PORT: '0' },
  }).end;
  assert.equal(code, 1);
  assert.match(err, new RegExp(`in use by process ${system.facts.pids['auth']}\nhint: .*--data-dir`));
  await system.stop();
  removeFolder(here);
});

test('the summary has what a newcomer needs, and the lines to try are right', async () => {
  const here = makeFolder();
  const command = launch(['start'], { folder: here, env: { LATCHKEY_PORT: '0', LATCHKEY_AUTH_PORT: '0' } });
  await command.until(/Ctrl-C stops everything/);
  const text = command.text();
  const url = /API to try +(\S+)\/auth\/docs/.exec(text)?.[1] ?? '';
  assert.match(text, /Administrator {2}admin {2}\S{15,}/);
  const login = /-d '(\{.*?\})'/.exec(text)?.[1] ?? '';
  assert.equal((await call(url, '/auth/login', { body: JSON.parse(login) })).status, 200);
  await command.stop();
  removeFolder(here);
});
