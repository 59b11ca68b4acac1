// F04, and the promise of one writer per data directory: a second process is refused by name, SIGKILL frees the directory, and
// the next start goes on with everything that was committed, from the log of the dead process.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { adminPassword } from '../support/auth_server.ts';
import { type SpawnedAuth, spawnAuth } from '../support/spawned_auth.ts';

const parent = mkdtempSync(join(tmpdir(), 'lk-dir-'));
const running: SpawnedAuth[] = [];
after(async () => {
  for (const server of running) await server.kill();
  rmSync(parent, { recursive: true });
});

async function start(name: string): Promise<SpawnedAuth> {
  const server = await spawnAuth({ dataDir: join(parent, name) });
  if (server.refused === undefined) running.push(server);
  return server;
}

async function signIn({ address }: SpawnedAuth): Promise<{ status: number; refresh_token: string }> {
  const answer = await fetch(`${address}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: adminPassword }),
  });
  return { status: answer.status, ...((await answer.json()) as { refresh_token: string }) };
}

const refresh = ({ address }: SpawnedAuth, token: string) =>
  fetch(`${address}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }),
  });

test('a second server on the directory is refused and says who holds it; the first goes on', async () => {
  const first = await start('shared');
  const second = await start('shared');
  assert.equal(second.refused, 'DataDirLocked');
  assert.ok(second.message.includes(String(first.child.pid)), second.message);
  assert.equal((await signIn(first)).status, 200);
});

test('killed, the directory is free at once, and sessions, keys and the log of writes are still there', async () => {
  const first = await start('killed');
  const { refresh_token: token } = await signIn(first);
  await first.kill();
  assert.ok(statSync(join(parent, 'killed', 'latchkey.db-wal')).size > 0, 'committed writes are in the log');
  const second = await start('killed');
  assert.equal(second.refused, undefined, second.message);
  assert.equal((await refresh(second, token)).status, 200);
});

test('a log torn by a power cut loses its torn end and nothing before it', async () => {
  const first = await start('torn');
  const { refresh_token: token } = await signIn(first);
  const wal = join(parent, 'torn', 'latchkey.db-wal');
  const intact = statSync(wal).size;
  await signIn(first);
  await first.kill();
  assert.ok(statSync(wal).size > intact);
  truncateSync(wal, intact + 100);
  const second = await start('torn');
  assert.equal(second.refused, undefined, second.message);
  assert.equal((await refresh(second, token)).status, 200);
});

test('the socket of a dead process does not keep the next one from its own', async () => {
  const first = await start('socket');
  await first.kill();
  assert.ok(existsSync(join(parent, 'socket', 'latchkey.sock')));
  const second = await start('socket');
  assert.equal(second.refused, undefined, second.message);
});
