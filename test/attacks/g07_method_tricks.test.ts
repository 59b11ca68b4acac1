// G07 (ASVS 4.1.4, 13.4.4): methods that a route does not name, and fields that ask the service to pretend another method or path.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { headersNamed, type RawAnswer, sendOnce } from '../../packages/gateway/test_support/raw_client.ts';
import {
  type Seen,
  type Stage,
  startGateway,
  startUpstream,
  type Upstream,
} from '../../packages/gateway/test_support/stage.ts';

describe('G07: method tricks', () => {
  let upstream: Upstream;
  let gateway: Stage;
  before(async () => {
    upstream = await startUpstream();
    gateway = await startGateway({
      routes: [
        { prefix: '/api', upstreams: [upstream.origin], access: 'public' },
        { prefix: '/api/read', methods: ['GET'], upstreams: [upstream.origin], access: 'public' },
        { prefix: '/api/guarded', methods: ['GET'], upstreams: [upstream.origin], access: 'authenticated' },
        {
          prefix: '/api/guarded',
          methods: ['POST'],
          upstreams: [upstream.origin],
          access: { role: 'admin' },
        },
      ],
    });
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });
  const send = (method: string, path: string, fields = '') =>
    sendOnce(
      gateway.port,
      `${method} ${path} HTTP/1.1\r\nHost: a\r\n${fields}Content-Length: 0\r\n\r\n`,
      method,
    ) as Promise<RawAnswer>;

  it('refuses what is not named, and never falls back to a shorter prefix', async () => {
    const forwarded = upstream.seen.length;
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY', 'TRACE']) {
      const answer = await send(method, '/api/read');
      assert.equal(answer.status, 405, method);
      assert.deepEqual(headersNamed(answer, 'allow'), ['GET, HEAD']);
    }
    for (const method of ['TRACE', 'PROPFIND', 'MKCOL', 'PURGE'])
      assert.equal((await send(method, '/api')).status, 405, method);
    for (const method of ['get', 'Get', 'GETX', 'G@T', 'PRI']) {
      const status = (await send(method, '/api'))?.status;
      assert.ok(status === undefined || status === 400 || status === 405, `${method}: ${status}`);
    }
    assert.equal(upstream.seen.length, forwarded);
  });

  it('holds HEAD to the policy of GET', async () => {
    assert.equal((await send('HEAD', '/api/read')).status, 200);
    assert.equal((await send('HEAD', '/api/guarded')).status, 401);
    assert.equal((await send('OPTIONS', '/api/guarded')).status, 405);
  });

  it('removes overrides of method and path', async () => {
    const overrides = [
      'X-HTTP-Method-Override',
      'X-HTTP-Method',
      'X-Method-Override',
      'x_http_method_override',
      'X-Original-URL',
      'X-Rewrite-URL',
      'X-Original-Method',
      'X_ORIGINAL_URL',
    ];
    for (const name of overrides) {
      assert.equal((await send('GET', '/api/read', `${name}: DELETE\r\n`)).status, 200);
      const seen = upstream.seen.at(-1) as Seen;
      assert.equal(seen.method, 'GET');
      assert.ok(!seen.rawHeaders.includes('DELETE'), name);
    }
  });
});
