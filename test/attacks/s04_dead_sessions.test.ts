// S04: a refresh after everything that ends a session is refused with its reason, and writes nothing, however often it is
// tried (CVE-2023-22492: a disabled user kept refreshing).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  startAuthServer,
  type TestAuthServer,
  type TestUser,
  type Tokens,
  userPassword,
} from '../support/auth_server.ts';
import { movedClock } from '../support/clock.ts';
import { rowCounts } from '../support/database_file.ts';

const clock = movedClock();
const hour = 3600;
let server: TestAuthServer;
let made = 0;
before(async () => {
  server = await startAuthServer({ now: clock.now, sessionIdle: 10 * hour, sessionMax: 24 * hour });
});
after(() => server.close());

interface Victim extends Tokens {
  readonly user: TestUser;
}

async function signedIn(): Promise<Victim> {
  const username = `victim${made++}`;
  const answer = await server.operator('POST', '/auth/admin/users', { username, password: userPassword });
  assert.equal(answer.status, 201, answer.text);
  return {
    ...(await server.login(username, userPassword)),
    user: { id: answer.body.id, username, password: userPassword },
  };
}

async function ok(answer: Promise<{ status: number; text: string }>): Promise<void> {
  const { status, text } = await answer;
  assert.ok(status >= 200 && status < 300, text);
}

const operator = (method: string, path: string, body?: unknown) =>
  ok(server.operator(method, `/auth/admin/${path}`, body));
const call = (method: string, path: string, token: string, body?: unknown) =>
  ok(server.call(method, `/auth/${path}`, { token, ...(body === undefined ? {} : { body }) }));

const endings: readonly [string, string, (victim: Victim) => Promise<unknown>][] = [
  ['sign-out', 'ended', ({ access_token: token }) => call('POST', 'logout', token)],
  ['sign-out everywhere', 'ended', ({ access_token: token }) => call('POST', 'logout/all', token)],
  [
    'removal among the own devices',
    'ended',
    ({ access_token: token, session_id: sid }) => call('DELETE', `me/sessions/${sid}`, token),
  ],
  [
    'an administrator ending the session',
    'ended',
    ({ session_id: sid }) => operator('DELETE', `sessions/${sid}`),
  ],
  [
    'an administrator ending all of them',
    'ended',
    ({ user }) => operator('DELETE', `users/${user.id}/sessions`),
  ],
  ['disabling', 'disabled', ({ user }) => operator('PATCH', `users/${user.id}`, { disabled: true })],
  [
    'disabling and enabling again',
    'disabled',
    async ({ user }) => {
      await operator('PATCH', `users/${user.id}`, { disabled: true });
      await operator('PATCH', `users/${user.id}`, { disabled: false });
    },
  ],
  ['deleting the user', 'ended', ({ user }) => operator('DELETE', `users/${user.id}`)],
  [
    'a password change on another device',
    'ended',
    async ({ user }) => {
      const { access_token: token } = await server.login(user.username, user.password);
      await call('POST', 'me/password', token, {
        current_password: user.password,
        new_password: 'another quiet brook',
      });
    },
  ],
  ['idleness', 'idle', async () => clock.move(10 * hour)],
  [
    'its greatest age',
    'expired',
    async (victim) => {
      for (let token = victim.refresh_token, i = 0; i < 3; i += 1) {
        clock.move(9 * hour - 1);
        const answer = await server.refresh(token);
        if (i < 2) assert.equal(answer.status, 200);
        token = answer.body.refresh_token;
      }
    },
  ],
];

for (const [name, reason, end] of endings) {
  test(`after ${name}: refused as ${reason}, again and again, and nothing is written`, async () => {
    const victim = await signedIn();
    const successor = (await server.refresh(victim.refresh_token)).body.refresh_token;
    await end({ ...victim, refresh_token: successor });
    const before = rowCounts(server.dataDir);
    for (const token of [successor, victim.refresh_token, successor]) {
      const answer = await server.refresh(token);
      assert.deepEqual(
        [answer.status, answer.body.error, answer.body.reason],
        [400, 'invalid_grant', reason],
      );
      assert.equal(answer.headers.get('set-cookie'), null);
    }
    assert.deepEqual(rowCounts(server.dataDir), before);
    assert.equal((await server.call('GET', '/auth/me', { token: victim.access_token })).status, 401);
  });
}

test('the session that changed the password goes on, with its new pair only', async () => {
  const { user, ...session } = await signedIn();
  const body = { current_password: user.password, new_password: 'another quiet brook' };
  const changed = await server.call('POST', '/auth/me/password', { token: session.access_token, body });
  assert.equal(changed.status, 200, changed.text);
  assert.equal(changed.body.session_id, session.session_id);
  assert.equal((await server.call('GET', '/auth/me', { token: session.access_token })).status, 401);
  assert.equal((await server.call('GET', '/auth/me', { token: changed.body.access_token })).status, 200);
  clock.move(60);
  assert.equal((await server.refresh(changed.body.refresh_token)).status, 200);
});
