// The table of refreshes over HTTP, row by row: what a client that presents this or that generation is answered. The same
// table as a pure function, to the millisecond: packages/server/src/rules/refresh.test.ts.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { adminPassword, startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { movedClock } from '../support/clock.ts';
import { rowsOf } from '../support/database_file.ts';

const clock = movedClock();
const grace = 10;
let server: TestAuthServer;
before(async () => {
  server = await startAuthServer({ now: clock.now, refreshGrace: grace });
});
after(() => server.close());

const begin = async (on = server) => (await on.login('admin', adminPassword)).refresh_token;

async function next(token: string, headers: Record<string, string> = {}, on = server): Promise<string> {
  const answer = await on.refresh(token, headers);
  assert.equal(answer.status, 200, answer.text);
  return answer.body.refresh_token;
}

async function reasonOf(token: string, headers: Record<string, string> = {}, on = server): Promise<string> {
  const answer = await on.refresh(token, headers);
  assert.equal(answer.status, 400, answer.text);
  assert.equal(answer.body.error, 'invalid_grant');
  return answer.body.reason;
}

const keyed = (key: string) => ({ 'idempotency-key': key });

test('the answer is the one of a login, and says whether the token rotated', async () => {
  const session = await server.login('admin', adminPassword);
  clock.move(60);
  const { status, body, headers } = await server.refresh(session.refresh_token);
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body).sort(), [
    'access_token',
    'expires_in',
    'refresh_expires_in',
    'refresh_token',
    'rotated',
    'session_id',
    'token_type',
  ]);
  assert.deepEqual([body.token_type, body.expires_in, body.session_id], ['Bearer', 300, session.session_id]);
  assert.equal(
    session.refresh_expires_in - body.refresh_expires_in,
    60,
    'a refresh does not lengthen the greatest age',
  );
  assert.equal(headers.get('cache-control'), 'no-store');
});

test('row 1: the first refresh advances at once, later ones from twice the grace time on', async () => {
  const first = await begin();
  const second = await next(first);
  assert.notEqual(second, first);
  clock.move(2 * grace);
  assert.notEqual(await next(second), second);
});

test('row 2: the current token sooner than that: a new access token, the same refresh token, nothing advances', async () => {
  const current = await next(await begin());
  const rotated = rowsOf(server.dataDir, 'SELECT id, rotated_at, last_used_at FROM sessions');
  const seen = new Set<string>();
  for (const seconds of [0, 5, 10, 4.999]) {
    clock.move(seconds);
    const answer = await server.refresh(current);
    assert.deepEqual([answer.status, answer.body.refresh_token], [200, current]);
    seen.add(answer.body.access_token);
  }
  assert.equal(seen.size, 4);
  assert.deepEqual(rowsOf(server.dataDir, 'SELECT id, rotated_at, last_used_at FROM sessions'), rotated);
  clock.move(0.001);
  assert.notEqual(await next(current), current);
});

test('row 3: the predecessor within the grace time gets the same successor', async () => {
  const old = await begin();
  const successor = await next(old);
  clock.move(grace - 0.001);
  assert.equal(await next(old), successor);
});

test('row 4: a lost answer, asked again with its key hours later, gets the same successor', async () => {
  const old = await begin();
  const successor = await next(old, keyed('one-key-for-this-token'));
  clock.move(6 * 3600);
  assert.equal(await next(old, keyed('one-key-for-this-token')), successor);
  assert.equal(await next(old, keyed('one-key-for-this-token')), successor);
  clock.move(2 * grace);
  assert.notEqual(await next(successor, keyed('the-key-of-the-next-one')), successor);
});

test('row 4: tabs that wake up together: one is answered and goes on, the others are still on their way with the old token', async () => {
  const old = await begin();
  const successor = await next(old, keyed('one-key-for-this-token'));
  clock.move(6 * 3600);
  assert.equal(await next(old, keyed('one-key-for-this-token')), successor);
  clock.move(1);
  assert.equal(
    await next(successor, keyed('the-key-of-the-next-one')),
    successor,
    'not at once: others come late',
  );
  clock.move(5);
  assert.equal(await next(old, keyed('one-key-for-this-token')), successor);
  clock.move(2 * grace);
  assert.notEqual(await next(successor), successor);
});

test('row 4 repeated for ever does not put off the next rotation for ever', async () => {
  const old = await begin();
  const successor = await next(old, keyed('one-key-for-this-token'));
  let advanced = false;
  for (let i = 0; i < 20 && !advanced; i += 1) {
    clock.move(2 * grace);
    await next(old, keyed('one-key-for-this-token'));
    advanced = (await next(successor)) !== successor;
  }
  assert.ok(advanced);
  assert.equal(await reasonOf(old, keyed('one-key-for-this-token')), 'reuse');
});

test('row 4 is for that rotation only: another key, no key, and a key of before are theft', async () => {
  for (const key of [undefined, 'some-other-key-here']) {
    const old = await begin();
    await next(old, keyed('one-key-for-this-token'));
    clock.move(grace);
    assert.equal(await reasonOf(old, key === undefined ? {} : keyed(key)), 'reuse');
  }
  const old = await begin();
  const middle = await next(old, keyed('one-key-for-this-token'));
  clock.move(60);
  await next(middle, keyed('the-key-of-the-next-one'));
  assert.equal(await reasonOf(old, keyed('one-key-for-this-token')), 'reuse');
});

test('a key given when nothing advances does not count for the rotation before or after', async () => {
  const old = await begin();
  const current = await next(old);
  await next(current, keyed('a-key-that-came-too-late'));
  clock.move(grace);
  assert.equal(await reasonOf(old, keyed('a-key-that-came-too-late')), 'reuse');
});

test('a key that repeats is stored as none: the second rotation has no retry beyond the grace time', async () => {
  const key = keyed('always-the-same-key');
  const middle = await next(await begin(), key);
  clock.move(60);
  await next(middle, key);
  clock.move(grace);
  assert.equal(await reasonOf(middle, key), 'reuse');
});

test('row 5: a restored database: the session ends as state_lost, once, without an alarm', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'lk-restored-'));
  const dataDir = join(parent, 'data');
  let running: TestAuthServer | undefined;
  t.after(async () => {
    await running?.server.close();
    rmSync(parent, { recursive: true, force: true });
  });
  const start = async () => {
    running = await startAuthServer({ now: clock.now, dataDir });
    return running;
  };
  const stop = async () => {
    await running?.server.close();
    running = undefined;
  };
  const first = await start();
  const session = await next(await begin(first), {}, first);
  await stop();
  cpSync(dataDir, join(parent, 'backup'), { recursive: true });
  clock.move(60);
  const newest = await next(session, {}, await start());
  await stop();
  rmSync(dataDir, { recursive: true });
  cpSync(join(parent, 'backup'), dataDir, { recursive: true });
  const restored = await start();
  for (const token of [newest, newest, session])
    assert.equal(await reasonOf(token, {}, restored), 'state_lost');
  const actions = rowsOf(
    dataDir,
    "SELECT action FROM audit WHERE action LIKE '%state_lost' OR action LIKE '%reuse'",
  );
  assert.deepEqual(
    actions.map(({ action }) => action),
    ['session.state_lost'],
  );
});

test('row 6: anything older is theft', async () => {
  const old = await begin();
  const second = await next(old);
  clock.move(60);
  await next(second);
  assert.equal(await reasonOf(old), 'reuse');
});

test('a clock that steps back signs nobody out', async () => {
  const old = await begin();
  const current = await next(old);
  clock.move(-3600);
  assert.equal((await server.refresh(current)).status, 200);
  assert.equal(await next(old), current);
  clock.move(3600 + 60);
  assert.notEqual(await next(current), current);
});

test('keys of 16 to 255 visible characters; others are refused and nothing advances', async () => {
  const session = await server.login('admin', adminPassword);
  const token = session.refresh_token;
  for (const key of [
    '',
    'fifteen-letters',
    'k'.repeat(256),
    'sixteen letters!',
    'tab\tinside-the-key',
    'a-key-in-latin-1-\u00e4',
  ]) {
    const answer = await server.refresh(token, keyed(key));
    assert.deepEqual([answer.status, answer.body.error], [400, 'invalid_request'], JSON.stringify(key));
  }
  const rows = rowsOf(server.dataDir, 'SELECT generation FROM sessions WHERE id = ?', session.session_id);
  assert.equal(rows[0]?.['generation'], 0);
  await next(token, keyed('k'.repeat(16)));
  clock.move(60);
  await next(await next(token, keyed('k'.repeat(16))), keyed('k'.repeat(255)));
});
