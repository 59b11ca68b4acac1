// A client in a loop is slowed down with 429; its session is never ended by that, nor is anybody else's.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adminPassword, startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { movedClock } from '../support/clock.ts';
import { rowCounts } from '../support/database_file.ts';

const clock = movedClock();
let server: TestAuthServer;
before(async () => {
  server = await startAuthServer({ now: clock.now, limits: { refreshesPerMinute: 20 } });
});
after(() => server.close());

test('beyond the limit: 429 with Retry-After, nothing written, and the session goes on afterwards', async () => {
  const { refresh_token: token } = await server.login('admin', adminPassword);
  const answers = await Promise.all(Array.from({ length: 60 }, () => server.refresh(token)));
  const refused = answers.filter(({ status }) => status === 429);
  assert.equal(answers.filter(({ status }) => status === 200).length, 20);
  assert.equal(refused.length, 40);
  for (const { body, headers } of refused) {
    assert.equal(body.error, 'rate_limited');
    const wait = Number(headers.get('retry-after'));
    assert.ok(wait >= 1 && wait <= 60, String(wait));
  }
  const before = rowCounts(server.dataDir);
  assert.equal((await server.refresh(token)).status, 429);
  assert.deepEqual(rowCounts(server.dataDir), before);
  const { refresh_token: other } = await server.login('admin', adminPassword);
  assert.equal((await server.refresh(other)).status, 200);
  clock.move(Number(refused[0]?.headers.get('retry-after')));
  const successor = answers.find(({ status }) => status === 200)?.body.refresh_token ?? '';
  assert.equal((await server.refresh(successor)).status, 200);
});

test('old tokens at the limit are 429 too: no loop ends a session by being too fast', async () => {
  const { refresh_token: token } = await server.login('admin', adminPassword);
  const successor = (await server.refresh(token)).body.refresh_token;
  for (let i = 0; i < 19; i += 1) await server.refresh(successor);
  assert.equal((await server.refresh(token)).status, 429);
  clock.move(60);
  assert.equal((await server.refresh(successor)).status, 200);
});
