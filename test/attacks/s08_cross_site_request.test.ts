// S08: another site makes the victim's browser call us with its cookies. The browser would have to send a header that a
// foreign page cannot, from an origin that is ours; anything else is 403 and changes nothing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adminPassword, startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { rowCounts } from '../support/database_file.ts';

const app = 'https://app.example.com';
let server: TestAuthServer;
let cookie = '';
let own = '';
before(async () => {
  server = await startAuthServer({ origins: [app] });
  own = new URL(server.issuer).origin;
  const signedIn = await server.call('POST', '/auth/login', {
    body: { username: 'admin', password: adminPassword, cookie: true },
    headers: { 'x-latchkey': '1', origin: own },
  });
  cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  assert.match(cookie, /^__Host-latchkey-refresh=lkr_/);
});
after(() => server.close());

type Sent = Readonly<Record<string, string>>;
const foreign: readonly Sent[] = [
  {},
  { 'x-latchkey': '1' },
  { 'x-latchkey': '1', origin: 'null' },
  { 'x-latchkey': '1', origin: 'https://evil.example' },
  { 'x-latchkey': '1', origin: 'https://app.example.com.evil.example' },
  { 'x-latchkey': '1', origin: 'http://app.example.com' },
  { 'x-latchkey': '1', origin: 'https://app.example.com:8443' },
  { 'x-latchkey': '1', origin: 'HTTPS://APP.EXAMPLE.COM' },
  { 'x-latchkey': '1', origin: '' },
  { 'x-latchkey': '1', 'sec-fetch-site': 'cross-site' },
  { 'x-latchkey': '1', 'sec-fetch-site': 'same-site' },
  { 'x-latchkey': '1', 'sec-fetch-site': 'none' },
  { 'x-latchkey': '1', 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
  { 'x-latchkey': '0', 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-site': 'same-origin' },
  { origin: app },
];

const refresh = (headers: Sent) =>
  server.call('POST', '/auth/token', {
    form: { grant_type: 'refresh_token' },
    headers: { ...headers, cookie },
  });

test('refresh, sign-out and cookie sign-in from elsewhere are 403 and change nothing', async () => {
  const before = rowCounts(server.dataDir);
  for (const headers of foreign) {
    const answers = [
      await refresh(headers),
      await server.call('POST', '/auth/logout', { headers: { ...headers, cookie } }),
      await server.call('POST', '/auth/login', {
        body: { username: 'admin', password: adminPassword, cookie: true },
        headers,
      }),
    ];
    for (const answer of answers) {
      assert.deepEqual([answer.status, answer.body.error], [403, 'access_denied'], JSON.stringify(headers));
      assert.deepEqual(answer.headers.getSetCookie(), []);
    }
  }
  assert.deepEqual(rowCounts(server.dataDir), before);
});

test('what a form or a link can send without asking first is not even read', async () => {
  const login = JSON.stringify({ username: 'admin', password: adminPassword, cookie: true });
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    '',
  ]) {
    const answer = await server.call('POST', '/auth/login', {
      body: login,
      headers: { 'content-type': type },
    });
    assert.equal(answer.status, 415, type);
  }
  for (const path of ['/auth/token', '/auth/logout', '/auth/login'])
    assert.equal((await server.call('GET', path, { headers: { cookie } })).status, 404);
});

test('our own page and the named origin may', async () => {
  for (const headers of [
    { 'x-latchkey': '1', 'sec-fetch-site': 'same-origin' },
    { 'x-latchkey': '1', origin: own },
    { 'x-latchkey': '1', origin: own, 'sec-fetch-site': 'same-origin' },
    { 'x-latchkey': '1', origin: app, 'sec-fetch-site': 'same-site' },
  ])
    assert.equal((await refresh(headers)).status, 200, JSON.stringify(headers));
});
