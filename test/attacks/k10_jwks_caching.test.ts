// K10: a cache on the way is poisoned, or keeps the key set too long. The answer is the same bytes whatever the request says
// of host, query or origin, is cacheable for as long as the rotation plan reckons with, and can be asked for again by ETag.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { jwksMaxAge } from '../../packages/server/src/rules/lifetimes.ts';
import { startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { movedClock } from '../support/clock.ts';

const path = '/auth/.well-known/jwks.json';
const clock = movedClock();
let server: TestAuthServer;
before(async () => {
  server = await startAuthServer({ now: clock.now });
});
after(() => server.close());

/** With `node:http`, which lets a test send any Host. */
function get(
  target: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const sent = request({ hostname, port, path: target, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    sent.on('error', reject).end();
  });
}

const kept = ({ status, headers, body }: Awaited<ReturnType<typeof get>>) => {
  const { date: _date, 'x-request-id': _id, connection: _connection, ...rest } = headers;
  return JSON.stringify([status, rest, body]);
};

test('the same bytes and headers for every host, proxy header, query and origin', async () => {
  const plain = kept(await get(path));
  const evil = 'evil.example';
  for (const headers of [
    { host: evil },
    { 'x-forwarded-host': evil, 'x-forwarded-proto': 'http', 'x-forwarded-for': '203.0.113.1' },
    { forwarded: `host=${evil};proto=http` },
    { 'x-original-url': '/evil', 'x-rewrite-url': '/evil' },
    { origin: `https://${evil}` },
    { accept: 'text/html', 'accept-language': 'de', 'accept-encoding': 'gzip, br' },
    { cookie: '__Host-latchkey-refresh=x', authorization: 'Bearer x' },
  ])
    assert.equal(kept(await get(path, headers as Record<string, string>)), plain, JSON.stringify(headers));
  for (const target of [`${path}?x=1`, `${path}?callback=alert`, `${path}?kid=../../x`])
    assert.equal(kept(await get(target)), plain, target);
  assert.ok(!plain.includes(evil));
});

test('cacheable for the time that the rotation plan reckons with, by everybody', async () => {
  const { headers } = await get(path);
  assert.equal(headers['cache-control'], `public, max-age=${jwksMaxAge}`);
  assert.equal(headers['vary'], undefined);
  assert.equal(headers['set-cookie'], undefined);
  assert.match(String(headers['content-type']), /^application\/json/);
});

test('an ETag that fits is 304 without a body; one that does not, or after a rotation, is 200', async () => {
  const first = await get(path);
  const etag = String(first.headers['etag']);
  const again = await get(path, { 'if-none-match': etag });
  assert.deepEqual([again.status, again.body, again.headers['etag']], [304, '', etag]);
  assert.equal((await get(path, { 'if-none-match': '"other"' })).status, 200);
  assert.equal((await server.operator('POST', '/auth/admin/keys/rotate', {})).status, 200);
  const changed = await get(path, { 'if-none-match': etag });
  assert.equal(changed.status, 200);
  assert.notEqual(changed.headers['etag'], etag);
});
