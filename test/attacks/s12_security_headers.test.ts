// S12: clickjacking, MIME sniffing, leaking addresses, answers left in caches: the headers against them are on every answer,
// refusals and unknown addresses too.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adminPassword, startAuthServer, type TestAuthServer } from '../support/auth_server.ts';

let server: TestAuthServer;
before(async () => {
  server = await startAuthServer();
});
after(() => server.close());

const login = { username: 'admin', password: adminPassword };

test('every answer carries them: 200, 204, 400, 401, 404, 413, 415', async () => {
  const { access_token: token, refresh_token: refreshToken } = await server.login('admin', adminPassword);
  const answers = [
    await server.call('POST', '/auth/login', { body: login }),
    await server.refresh(refreshToken),
    await server.call('GET', '/auth/me', { token }),
    await server.call('GET', '/auth/me'),
    await server.call('POST', '/auth/login', { body: { ...login, password: 'wrong' } }),
    await server.call('POST', '/auth/login', { body: '{' }),
    await server.call('POST', '/auth/login', { body: 'x'.repeat(70_000) }),
    await server.call('POST', '/auth/login', { body: '{}', headers: { 'content-type': 'text/plain' } }),
    await server.call('GET', '/nowhere'),
    await server.call('GET', '/auth/admin/users/%zz'),
    await server.call('GET', `/auth/admin/users/${'x'.repeat(200)}`),
    await server.call('POST', '/auth/logout', { token }),
  ];
  assert.deepEqual(
    [...new Set(answers.map(({ status }) => status))].sort(),
    [200, 204, 400, 401, 404, 413, 415],
  );
  for (const { status, headers, text, body } of answers) {
    if (status >= 400) assert.equal(typeof body.error_description, 'string', text);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', String(status));
    assert.equal(headers.get('x-frame-options'), 'DENY');
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/);
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.match(headers.get('x-request-id') ?? '', /^[\w.-]{8,64}$/);
    for (const leak of ['server', 'x-powered-by']) assert.equal(headers.get(leak), null);
  }
});
