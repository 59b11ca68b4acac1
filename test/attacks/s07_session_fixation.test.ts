// S07: an attacker plants a session. Every sign-in makes a new one; a cookie that was there before is never adopted, and two
// cookies of one name (tossed from a subdomain) are refused (CVE-2026-7507).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adminPassword, startAuthServer, type TestAuthServer } from '../support/auth_server.ts';

let server: TestAuthServer;
before(async () => {
  server = await startAuthServer();
});
after(() => server.close());

const browser = { 'x-latchkey': '1', 'sec-fetch-site': 'same-origin' };
const name = '__Host-latchkey-refresh';

const signIn = (headers: Record<string, string> = {}) =>
  server.call('POST', '/auth/login', {
    body: { username: 'admin', password: adminPassword, cookie: true },
    headers: { ...browser, ...headers },
  });

const refreshCookieOf = (headers: Headers) =>
  headers
    .getSetCookie()
    .find((cookie) => cookie.startsWith(`${name}=`))
    ?.split(';')[0] ?? '';

const refresh = (cookie: string) =>
  server.call('POST', '/auth/token', {
    form: { grant_type: 'refresh_token' },
    headers: { ...browser, cookie },
  });

test('a sign-in over a planted cookie makes a session of its own, which the planted one does not reach', async () => {
  const planted = await signIn();
  const own = await signIn({ cookie: refreshCookieOf(planted.headers) });
  assert.equal(own.status, 200);
  assert.notEqual(own.body.session_id, planted.body.session_id);
  const cookie = refreshCookieOf(own.headers);
  assert.notEqual(cookie, refreshCookieOf(planted.headers));
  assert.equal((await refresh(cookie)).body.session_id, own.body.session_id);
});

test('the cookie cannot be planted from another host, read by a script, or sent by another site', async () => {
  const attributes = (await signIn()).headers
    .getSetCookie()
    .find((cookie) => cookie.startsWith(`${name}=`))
    ?.split('; ')
    .slice(1);
  for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/'])
    assert.ok(attributes?.includes(attribute), attribute);
  assert.ok(!attributes?.some((attribute) => attribute.startsWith('Domain')));
});

test('two cookies of the name are refused in every call that reads them, in both orders, and touch nothing', async () => {
  const [mine, tossed] = [
    refreshCookieOf((await signIn()).headers),
    refreshCookieOf((await signIn()).headers),
  ];
  for (const cookie of [
    `${mine}; ${tossed}`,
    `${tossed}; ${mine}`,
    `${mine}; ${mine}`,
    `a=b; ${mine};${name}=`,
  ]) {
    for (const path of ['/auth/token', '/auth/logout']) {
      const answer = await server.call('POST', path, {
        ...(path === '/auth/token' ? { form: { grant_type: 'refresh_token' } } : {}),
        headers: { ...browser, cookie },
      });
      assert.deepEqual([answer.status, answer.headers.getSetCookie()], [400, []], `${path} ${cookie}`);
    }
  }
  assert.equal((await refresh(mine)).status, 200);
});

test('cookie and body together are refused, for refreshing and for signing out', async () => {
  const cookie = refreshCookieOf((await signIn()).headers);
  const { refresh_token: token } = await server.login('admin', adminPassword);
  const form = { grant_type: 'refresh_token', refresh_token: token };
  assert.equal(
    (await server.call('POST', '/auth/token', { form, headers: { ...browser, cookie } })).status,
    400,
  );
  const body = { refresh_token: token };
  assert.equal(
    (await server.call('POST', '/auth/logout', { body, headers: { ...browser, cookie } })).status,
    400,
  );
  assert.equal((await refresh(cookie)).status, 200);
  assert.equal((await server.refresh(token)).status, 200);
});
