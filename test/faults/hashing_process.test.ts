// F09: the hashing process dies, again and again, while people sign in. Those whose password was being checked are told to come
// back (503); everything else goes on; sign-ins work again by themselves.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { adminPassword } from '../support/auth_server.ts';
import { type SpawnedAuth, spawnAuth } from '../support/spawned_auth.ts';

const parent = mkdtempSync(join(tmpdir(), 'lk-hashing-'));
const skip = existsSync('/proc/self/task') ? false : 'needs /proc to find the process';
let server: SpawnedAuth;
before(async () => {
  server = await spawnAuth({ dataDir: join(parent, 'data'), limits: { attemptsPerAccountAndAddress: 5 } });
});
after(async () => {
  await server.stop();
  rmSync(parent, { recursive: true });
});

function hashingProcess(): number | undefined {
  const tasks = `/proc/${server.child.pid}/task`;
  const children = readdirSync(tasks).flatMap((task) =>
    readFileSync(join(tasks, task, 'children'), 'utf8').split(' '),
  );
  return children.filter(Boolean).map(Number)[0];
}

async function signIn(): Promise<number> {
  const answer = await fetch(`${server.address}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: adminPassword }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i += 1) {
    if (await condition()) return;
    await pause(10);
  }
  assert.fail('waited in vain');
}

test('killed five times: sign-ins are 200 or 503, keys are served, and afterwards all is well', {
  skip,
}, async () => {
  assert.equal(await signIn(), 200);
  const seen = new Set<number>();
  for (let round = 0; round < 5; round += 1) {
    await until(() => hashingProcess() !== undefined);
    const pid = hashingProcess() ?? 0;
    const flights = Promise.all([signIn(), signIn(), signIn()]);
    process.kill(pid, 'SIGKILL');
    assert.equal((await fetch(`${server.address}/auth/.well-known/jwks.json`)).status, 200);
    for (const status of await flights) seen.add(status);
    await until(() => hashingProcess() !== pid);
  }
  for (const status of seen) assert.ok([200, 503].includes(status), String(status));
  // Five rounds of three would be over the limit of five attempts, had the ones that were not checked been counted.
  await until(async () => (await signIn()) === 200);
  assert.equal(server.child.exitCode, null);
});

test('the hashing process ends with the server', { skip }, async () => {
  const own = await spawnAuth({ dataDir: join(parent, 'other') });
  const tasks = `/proc/${own.child.pid}/task`;
  const pids = readdirSync(tasks).flatMap((task) =>
    readFileSync(join(tasks, task, 'children'), 'utf8')
      .split(' ')
      .filter(Boolean),
  );
  assert.equal(pids.length, 1);
  await own.kill();
  await until(
    () =>
      !existsSync(`/proc/${pids[0]}`) || /^State:\s*Z/m.test(readFileSync(`/proc/${pids[0]}/status`, 'utf8')),
  );
});
