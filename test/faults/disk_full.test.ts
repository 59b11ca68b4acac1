// F03: the disk is full. Writes are refused with 503 and Retry-After, never a 500; reads and verification go on; nothing that was
// acknowledged is lost; with room again everything works, without a restart. The room is a limit on file size (RLIMIT_FSIZE)
// that can be raised from outside.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { adminPassword } from '../support/auth_server.ts';
import { rowsOf } from '../support/database_file.ts';
import { type SpawnedAuth, spawnAuth } from '../support/spawned_auth.ts';

const prlimit = ['/usr/bin/prlimit', '/bin/prlimit'].find((file) => existsSync(file));
const skip = prlimit === undefined ? 'needs prlimit (util-linux)' : false;
const parent = mkdtempSync(join(tmpdir(), 'lk-full-'));
const dataDir = join(parent, 'data');
let server: SpawnedAuth;

before(async () => {
  if (prlimit !== undefined)
    server = await spawnAuth({ dataDir, refreshGrace: 0, limits: { refreshesPerMinute: 100_000 } });
});
after(async () => {
  await server?.kill();
  rmSync(parent, { recursive: true });
});

/** Bytes that any one file may have (the soft limit); a write beyond it fails with EFBIG, since Node ignores SIGXFSZ. */
function limitFiles(bytes: number | 'unlimited'): void {
  execFileSync(prlimit ?? '', ['--pid', String(server.child.pid), `--fsize=${bytes}:`]);
}

async function call(path: string, init: RequestInit = {}) {
  const answer = await fetch(`${server.address}${path}`, init);
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === '' ? {} : JSON.parse(text) };
}

const signIn = () =>
  call('/auth/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: adminPassword }),
  });
const refresh = (token: string) =>
  call('/auth/token', {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }),
  });
const generation = (token: string) => Buffer.from(token.slice(4), 'base64url').readUInt32BE(18);

test('a full disk: 503 for writes, reads go on, nothing acknowledged is lost, and it heals by itself', {
  skip,
}, async () => {
  const { body: session } = await signIn();
  let token: string = session.refresh_token;
  limitFiles(statSync(join(dataDir, 'latchkey.db-wal')).size + 60_000);
  let refused: Awaited<ReturnType<typeof refresh>> | undefined;
  for (let i = 0; i < 500 && refused === undefined; i += 1) {
    const answer = await refresh(token);
    if (answer.status === 200) token = answer.body.refresh_token;
    else refused = answer;
  }
  assert.ok(refused !== undefined, 'the disk was never full');
  for (const answer of [refused, await refresh(token), await signIn()]) {
    assert.deepEqual([answer.status, answer.body.error], [503, 'unavailable'], JSON.stringify(answer.body));
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
  }
  for (const path of ['/auth/.well-known/jwks.json', '/auth/signals/snapshot'])
    assert.equal((await call(path)).status, 200, path);
  const me = await call('/auth/me', { headers: { authorization: `Bearer ${session.access_token}` } });
  assert.equal(me.status, 200);
  const [row] = rowsOf(dataDir, 'SELECT generation FROM sessions WHERE id = ?', session.session_id);
  assert.ok(Number(row?.['generation']) >= generation(token), 'an acknowledged refresh is not there');
  limitFiles('unlimited');
  const healed = await refresh(token);
  assert.equal(healed.status, 200, JSON.stringify(healed.body));
  assert.equal((await signIn()).status, 200);
  const check = rowsOf(dataDir, 'PRAGMA integrity_check');
  assert.deepEqual(
    check.map((one) => ({ ...one })),
    [{ integrity_check: 'ok' }],
  );
  assert.doesNotMatch(server.log(), /unexpected error/);
});
