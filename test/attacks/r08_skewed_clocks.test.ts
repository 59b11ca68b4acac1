// R08 (ASVS 7.4.2, 7.4.3, 7.4.5): everything of a user is revoked while the clocks of issuer and verifiers disagree, or jump, or the
// sign-ins before and after it fall into one second. Version counters decide, never `iat` against a time.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { TokenError } from '@latchkey/core';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';
import { movedClock } from '../support/clock.ts';

const clock = movedClock();
const skews = [-25, 0, 25];
let server: TestAuthServer;
let verifiers: Verifier[];
before(async () => {
  server = await startAuthServer({ now: clock.now, refreshGrace: 0 });
  verifiers = skews.map((skew) =>
    createVerifier({
      issuer: server.issuer,
      audience: server.audience,
      issuerAddress: `${server.url}/auth`,
      now: () => clock.now() + skew * 1000,
    }),
  );
  await Promise.all(verifiers.map((verifier) => verifier.ready()));
});
after(async () => {
  for (const verifier of verifiers) verifier.close();
  await server.close();
});

const iatOf = (token: string): number =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).iat;

function verdict(verifier: Verifier, token: string): string {
  try {
    verifier.verifySync(token);
    return 'accepted';
  } catch (error) {
    assert.ok(error instanceof TokenError);
    return error.code;
  }
}

/** Every verifier comes to say this, and goes on saying it. */
async function all(token: string, expected: string): Promise<void> {
  for (const verifier of verifiers) {
    for (let i = 0; i < 2_000 && verdict(verifier, token) !== expected; i += 1) await pause(5);
    assert.equal(verdict(verifier, token), expected);
  }
}

const post = async (path: string, token: string, body?: unknown) => {
  const answer = await server.call('POST', `/auth/${path}`, {
    token,
    ...(body === undefined ? {} : { body }),
  });
  assert.ok(answer.status < 300, answer.text);
  return answer.body;
};

test('in one second: what was issued before is dead, what is issued after it lives', async () => {
  const { username } = await server.createUser('ada');
  const before = await server.login(username, userPassword);
  await all(before.access_token, 'accepted');
  await post('logout/all', before.access_token);
  const after = await server.login(username, userPassword);
  assert.equal(iatOf(after.access_token), iatOf(before.access_token));
  await all(before.access_token, 'revoked');
  await all(after.access_token, 'accepted');
});

test('the clock of the issuer goes back: a token from "before" the revocation lives, one from "after" it is dead', async () => {
  const { username } = await server.createUser('ben');
  const before = await server.login(username, userPassword);
  await all(before.access_token, 'accepted');
  await post('logout/all', before.access_token);
  clock.move(-12);
  const after = await server.login(username, userPassword);
  assert.ok(iatOf(after.access_token) < iatOf(before.access_token));
  await all(before.access_token, 'revoked');
  await all(after.access_token, 'accepted');
  clock.move(12);
  await all(after.access_token, 'accepted');
});

test('a password change: the session that made it goes on with its new version, its old token does not', async () => {
  const { username } = await server.createUser('cleo');
  const [mine, other] = [
    await server.login(username, userPassword),
    await server.login(username, userPassword),
  ];
  for (const { access_token: token } of [mine, other]) await all(token, 'accepted');
  const change = { current_password: userPassword, new_password: 'another quiet brook' };
  const next = await post('me/password', mine.access_token, change);
  await all(mine.access_token, 'revoked');
  await all(other.access_token, 'revoked');
  await all(next.access_token, 'accepted');
});

test('changed roles: older tokens are stale and newer ones are not, in whatever second they were issued', async () => {
  await server.createRole('r08-nurse', ['records:read']);
  const user = await server.createUser('dora');
  const before = await server.login(user.username, userPassword);
  await all(before.access_token, 'accepted');
  const { status } = await server.operator('PUT', `/auth/admin/users/${user.id}/roles`, {
    roles: ['r08-nurse'],
  });
  assert.equal(status, 200);
  clock.move(-3);
  const { body } = await server.refresh(before.refresh_token);
  clock.move(3);
  await all(before.access_token, 'stale');
  await all(body.access_token, 'accepted');
});
