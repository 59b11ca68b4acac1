// S02: thief and owner both refresh, in every order. The second to come outside the grace time ends the session for both;
// the access tokens of it die, and the trail says so once (RFC 9700 §4.14.2).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adminPassword, startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { movedClock } from '../support/clock.ts';
import { rowsOf } from '../support/database_file.ts';

const clock = movedClock();
let server: TestAuthServer;
before(async () => {
  server = await startAuthServer({ now: clock.now });
});
after(() => server.close());

/** Who refreshes when, each with the last token they were given; the copy is stolen after the sign-in. */
const orders: Readonly<Record<string, readonly ('thief' | 'owner')[]>> = {
  'thief, owner': ['thief', 'owner'],
  'owner, thief': ['owner', 'thief'],
  'thief twice, owner': ['thief', 'thief', 'owner'],
  'owner three times, thief': ['owner', 'owner', 'owner', 'thief'],
};

for (const [name, order] of Object.entries(orders)) {
  test(`${name}: the last to come ends it for both`, async () => {
    const session = await server.login('admin', adminPassword);
    const held = { thief: session.refresh_token, owner: session.refresh_token };
    let accessToken = session.access_token;
    for (const who of order.slice(0, -1)) {
      const answer = await server.refresh(held[who]);
      assert.equal(answer.status, 200);
      held[who] = answer.body.refresh_token;
      accessToken = answer.body.access_token;
      clock.move(60);
    }
    const late = await server.refresh(held[order.at(-1) ?? 'owner']);
    assert.deepEqual([late.status, late.body.error, late.body.reason], [400, 'invalid_grant', 'reuse']);
    for (const token of Object.values(held)) {
      const answer = await server.refresh(token);
      assert.deepEqual([answer.status, answer.body.reason], [400, 'reuse']);
    }
    assert.equal((await server.call('GET', '/auth/me', { token: accessToken })).status, 401);
    const about = [session.session_id];
    assert.deepEqual(
      rowsOf(
        server.dataDir,
        "SELECT action, outcome FROM audit WHERE target = ? AND action <> 'session.start'",
        ...about,
      ).map((row) => ({ ...row })),
      [{ action: 'refresh_token_reuse', outcome: 'failure' }],
    );
    assert.deepEqual(
      rowsOf(server.dataDir, 'SELECT kind, by_what FROM signals WHERE value = ?', ...about).map((row) => ({
        ...row,
      })),
      [{ kind: 'revoke', by_what: 'sid' }],
    );
  });
}

test('a thief who always sends the same key is found at the latest two rotations on', async () => {
  const key = { 'idempotency-key': 'always-the-same-key' };
  const session = await server.login('admin', adminPassword);
  const first = (await server.refresh(session.refresh_token, key)).body.refresh_token;
  clock.move(60);
  const second = await server.refresh(first, key);
  assert.equal(second.status, 200);
  clock.move(60);
  const theft = await server.refresh(first, key);
  assert.deepEqual([theft.status, theft.body.reason], [400, 'reuse']);
  assert.equal((await server.refresh(second.body.refresh_token, key)).status, 400);
});

test('one session of a person ends; their others go on', async () => {
  const [stolen, other] = await Promise.all([1, 2].map(() => server.login('admin', adminPassword)));
  await server.refresh(stolen?.refresh_token ?? '');
  clock.move(60);
  assert.equal((await server.refresh(stolen?.refresh_token ?? '')).body.reason, 'reuse');
  assert.equal((await server.refresh(other?.refresh_token ?? '')).status, 200);
});
