// G08 (RFC 9112 §3.2; GoTrue GHSA-3529-5m8x-rpv3): no Host, two Hosts, a Host that is none, and fields that claim another one.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sendOnce } from '../../packages/gateway/test_support/raw_client.ts';
import {
  type Seen,
  startGateway,
  startUpstream,
  valuesOf,
} from '../../packages/gateway/test_support/stage.ts';

it('G08: exactly one valid Host decides, and nothing else', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const gateway = await startGateway({
    routes: [
      { prefix: '/', upstreams: [upstream.origin], access: 'public' },
      { prefix: '/', host: 'inner.test', upstreams: [upstream.origin], access: 'authenticated' },
    ],
  });
  t.after(() => gateway.close());
  const status = async (fields: string, target = '/') =>
    (await sendOnce(gateway.port, `GET ${target} HTTP/1.1\r\n${fields}\r\n`))?.status;

  for (const host of [
    'outer.test',
    'outer.test:8080',
    'OUTER.test',
    '127.0.0.1',
    '[::1]:8080',
    'localhost',
    'a_b.test',
  ]) {
    assert.equal(await status(`Host: ${host}\r\n`), 200, host);
    assert.deepEqual(valuesOf(upstream.seen.at(-1) as Seen, 'host'), [host]);
  }
  for (const host of ['inner.test', 'INNER.TEST', 'inner.test:80', 'Inner.Test:8443'])
    assert.equal(await status(`Host: ${host}\r\n`), 401, host);

  const forwarded = upstream.seen.length;
  assert.equal(await status(''), 400);
  assert.equal(await status('Host: outer.test\r\nHost: inner.test\r\n'), 400);
  assert.equal(await status('Host: outer.test\r\nhost: outer.test\r\n'), 400);
  for (const host of [
    '',
    'inner.test.',
    'a b',
    'a/b',
    'a@inner.test',
    'outer.test, inner.test',
    'a:b',
    'a:123456',
    'a\\b',
    'a?b',
    'a#b',
    'a%2eb',
    '.',
    '..',
    'a..b',
    '[::1',
    'x'.repeat(300),
    '\u00e4.test',
  ]) {
    assert.equal(await status(`Host: ${host}\r\n`), 400, host);
  }
  assert.equal(await status('Host: outer.test\r\n', 'http://inner.test/'), 400);
  assert.equal(upstream.seen.length, forwarded);

  for (const name of ['X-Forwarded-Host', 'X-Original-Host', 'X-Host', 'Forwarded', 'X_Forwarded_Host']) {
    assert.equal(
      await status(
        `Host: outer.test\r\n${name}: ${name === 'Forwarded' ? 'host=inner.test' : 'inner.test'}\r\n`,
      ),
      200,
    );
    const seen = upstream.seen.at(-1) as Seen;
    assert.deepEqual(valuesOf(seen, 'x-forwarded-host'), ['outer.test']);
    assert.deepEqual(valuesOf(seen, 'forwarded'), []);
  }
});
