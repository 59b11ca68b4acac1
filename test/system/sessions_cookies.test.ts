// Cookie mode, the browser's: when a cookie is set, when it is left alone, and when it is cleared. A refused refresh must
// never touch it: the loser of a race would sign the winner out.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, adminPassword, startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { movedClock } from '../support/clock.ts';

const name = '__Host-latchkey-refresh';
const browser = { 'x-latchkey': '1', 'sec-fetch-site': 'same-origin' };
const clock = movedClock();
let server: TestAuthServer;
before(async () => {
  server = await startAuthServer({ now: clock.now });
});
after(() => server.close());

/** The refresh cookie that an answer sets, as `name=value`; undefined when it sets none. */
function cookieOf(answer: Answer): string | undefined {
  return answer.headers
    .getSetCookie()
    .find((cookie) => cookie.startsWith(`${name}=`))
    ?.split(';')[0];
}

async function begin(): Promise<string> {
  const body = { username: 'admin', password: adminPassword, cookie: true };
  const answer = await server.call('POST', '/auth/login', { body, headers: browser });
  assert.equal(answer.status, 200, answer.text);
  assert.equal('refresh_token' in answer.body, false);
  return cookieOf(answer) ?? '';
}

const refresh = (cookie: string, headers: Record<string, string> = {}) =>
  server.call('POST', '/auth/token', {
    form: { grant_type: 'refresh_token' },
    headers: { ...browser, ...headers, cookie },
  });

test('the cookie moves with the rotation, and the body never holds the refresh token', async () => {
  const cookie = await begin();
  const answer = await refresh(cookie);
  assert.equal(answer.status, 200);
  assert.equal('refresh_token' in answer.body, false);
  assert.notEqual(cookieOf(answer), undefined);
  assert.notEqual(cookieOf(answer), cookie);
  assert.match(
    answer.headers.getSetCookie()[0] ?? '',
    new RegExp(`Max-Age=${answer.body.refresh_expires_in};`),
  );
});

test('nothing advances: no Set-Cookie at all', async () => {
  const current = cookieOf(await refresh(await begin())) ?? '';
  for (let i = 0; i < 3; i += 1) {
    const answer = await refresh(current);
    assert.deepEqual([answer.status, answer.headers.getSetCookie()], [200, []]);
  }
});

test('a racer with the old cookie is given the successor: its answer may be the only one to arrive', async () => {
  const old = await begin();
  const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(old)));
  assert.equal(new Set(answers.map(cookieOf)).size, 1);
  assert.notEqual(cookieOf(answers[0] as Answer), old);
});

test('a refusal never sets or clears a cookie, whatever the reason', async () => {
  const reused = await begin();
  await refresh(reused);
  clock.move(60);
  const ended = await begin();
  await server.call('POST', '/auth/logout', { headers: { ...browser, cookie: ended } });
  const refusals: [string, Record<string, string>, number][] = [
    [reused, {}, 400],
    [ended, {}, 400],
    [`${name}=`, {}, 400],
    [`${name}=garbage`, {}, 400],
    [await begin(), { 'x-latchkey': '0' }, 403],
    [await begin(), { 'idempotency-key': 'short' }, 400],
  ];
  for (const [cookie, headers, status] of refusals) {
    const answer = await refresh(cookie, headers);
    assert.deepEqual([answer.status, answer.headers.getSetCookie()], [status, []], answer.text);
  }
});

test('a refused sign-in leaves the cookies of the one before alone', async () => {
  const cookie = await begin();
  const body = { username: 'admin', password: 'not the password at all', cookie: true };
  const answer = await server.call('POST', '/auth/login', { body, headers: { ...browser, cookie } });
  assert.deepEqual([answer.status, answer.headers.getSetCookie()], [401, []]);
  assert.equal((await refresh(cookie)).status, 200);
});

test('signing out clears it, also when the session was over already, and by access token too', async () => {
  const cookie = await begin();
  for (let i = 0; i < 2; i += 1) {
    const answer = await server.call('POST', '/auth/logout', { headers: { ...browser, cookie } });
    assert.equal(answer.status, 204);
    assert.match(answer.headers.getSetCookie().join(), new RegExp(`^${name}=; .*Max-Age=0; `));
  }
  assert.equal((await refresh(cookie)).body.reason, 'ended');
  const { access_token: token } = await server.login('admin', adminPassword);
  const other = await begin();
  const all = await server.call('POST', '/auth/logout/all', {
    token,
    headers: { ...browser, cookie: other },
  });
  assert.equal(all.status, 204);
  assert.match(all.headers.getSetCookie().join(), /Max-Age=0/);
  assert.equal((await refresh(other)).body.reason, 'ended');
});

test('a sign-out that is refused keeps the cookie', async () => {
  const cookie = await begin();
  const answer = await server.call('POST', '/auth/logout', { headers: { cookie } });
  assert.deepEqual([answer.status, answer.headers.getSetCookie()], [403, []]);
  assert.equal((await refresh(cookie)).status, 200);
});

test('the cookie and a refresh token in the form together are refused, and neither moves', async () => {
  const cookie = await begin();
  const { refresh_token: token } = await server.login('admin', adminPassword);
  const form = { grant_type: 'refresh_token', refresh_token: token };
  const answer = await server.call('POST', '/auth/token', { form, headers: { ...browser, cookie } });
  assert.deepEqual([answer.status, answer.headers.getSetCookie()], [400, []]);
  assert.notEqual(cookieOf(await refresh(cookie)), undefined);
  assert.notEqual((await server.refresh(token)).body.refresh_token, token);
});
