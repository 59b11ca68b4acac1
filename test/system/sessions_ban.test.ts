// A sign-in in flight does not outlive a ban: whatever is done to the user between the check of the password and the making of
// the session, that session never refreshes. 100 of 100: bench/proofs/ban.ts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAuthServer, userPassword } from '../support/auth_server.ts';
import { bans, banWhileHeld, type HeldSignIns, openHeldSignIns } from '../support/held_sign_ins.ts';

let held: HeldSignIns;
before(async () => {
  held = await openHeldSignIns();
});
after(() => held.close());

for (const [name, ban] of Object.entries(bans)) {
  test(`held between password and session: ${name}`, async () => {
    const outcome = await banWhileHeld(held, `held-${name.replaceAll(' ', '-')}`, 6, ban);
    assert.deepEqual(outcome, { refused: 6, refreshed: 0, sessions: 0 });
  });
}

test('held and nothing happens: the sign-ins go through', async () => {
  const outcome = await banWhileHeld(held, 'held-in-peace', 6, async () => {});
  assert.deepEqual(outcome, { refused: 0, refreshed: 6, sessions: 6 });
});

test('over HTTP: thirty sign-ins in the queue, disabled after the first: no session refreshes, no token works', async () => {
  const server = await startAuthServer({ passwords: { queue: 100 } });
  try {
    const user = await server.createUser('ada');
    const body = { username: 'ada', password: userPassword };
    const flights = Array.from({ length: 30 }, () => server.call('POST', '/auth/login', { body }));
    await Promise.race(flights);
    const ban = await server.operator('PATCH', `/auth/admin/users/${user.id}`, { disabled: true });
    assert.equal(ban.status, 200);
    const answers = await Promise.all(flights);
    const signedIn = answers.filter(({ status }) => status === 200);
    assert.ok(signedIn.length >= 1);
    assert.deepEqual(
      [...new Set(answers.map(({ status }) => status))].sort(),
      signedIn.length === 30 ? [200] : [200, 401],
    );
    for (const { body: tokens } of signedIn) {
      const refreshed = await server.refresh(tokens.refresh_token);
      assert.deepEqual([refreshed.status, refreshed.body.reason], [400, 'disabled']);
      assert.equal((await server.call('GET', '/auth/me', { token: tokens.access_token })).status, 401);
    }
  } finally {
    await server.close();
  }
});
