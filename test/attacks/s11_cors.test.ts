// S11: pages of other origins read answers. Credentials are allowed to exactly the origins that the settings name; what is
// public to everybody never allows credentials.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAuthServer, type TestAuthServer } from '../support/auth_server.ts';

const app = 'https://app.example.com';
const strangers = [
  'null',
  '*',
  'https://evil.example',
  'https://app.example.com.evil.example',
  'https://evilapp.example.com',
  'https://sub.app.example.com',
  'https://example.com',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://app.example.com/',
  'https://APP.example.com',
  'https://app.example.com@evil.example',
  'https://app.example.com%00.evil.example',
  'file://',
  'http://localhost',
  'chrome-extension://abc',
];
let server: TestAuthServer;
let closed: TestAuthServer;
before(async () => {
  server = await startAuthServer({ origins: [app] });
  closed = await startAuthServer();
});
after(async () => {
  await server.close();
  await closed.close();
});

const allowed = async (on: TestAuthServer, method: string, path: string, origin: string) => {
  const { headers } = await on.call(method, path, {
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-latchkey',
    },
  });
  return [headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')];
};

const calls = [
  ['OPTIONS', '/auth/token'],
  ['POST', '/auth/token'],
  ['GET', '/auth/me'],
  ['POST', '/auth/login'],
] as const;

test('a stranger is allowed nothing, whatever its spelling', async () => {
  for (const [method, path] of calls) {
    for (const origin of strangers)
      assert.deepEqual(await allowed(server, method, path, origin), [null, null], `${method} ${origin}`);
    assert.deepEqual(await allowed(closed, method, path, app), [null, null]);
  }
});

test('a named origin is allowed by its name, with credentials, and caches are told', async () => {
  for (const [method, path] of calls)
    assert.deepEqual(await allowed(server, method, path, app), [app, 'true']);
  const { headers } = await server.call('GET', '/auth/me', { headers: { origin: 'https://evil.example' } });
  assert.match(headers.get('vary') ?? '', /origin/i);
});

test('public documents are for everybody, and never with credentials', async () => {
  for (const path of ['/auth/.well-known/jwks.json', '/auth/.well-known/openid-configuration']) {
    for (const on of [server, closed]) {
      for (const origin of [app, 'https://evil.example', 'null'])
        assert.deepEqual(await allowed(on, 'GET', path, origin), ['*', null], `${path} ${origin}`);
    }
  }
});
