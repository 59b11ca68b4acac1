// G09 (ASVS 15.3.4; CVE-2026-40575, CVE-2026-3635, CVE-2026-45364): a client names another address for itself, to be believed or to escape its limit.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createAddressReader } from '../../packages/gateway/src/client_address.ts';
import { headersNamed, type RawAnswer, sendOnce } from '../../packages/gateway/test_support/raw_client.ts';
import {
  type Seen,
  startGateway,
  startUpstream,
  valuesOf,
} from '../../packages/gateway/test_support/stage.ts';

const forged = [
  'X-Forwarded-For: 10.9.8.7',
  'X-Real-IP: 10.9.8.7',
  'Forwarded: for=10.9.8.7;proto=https',
  'X-Forwarded-Proto: https',
  'X-Client-IP: 10.9.8.7',
  'True-Client-IP: 10.9.8.7',
  'CF-Connecting-IP: 10.9.8.7',
  'X-Forwarded-Prefix: /x',
  'X-Forwarded-Uri: /admin',
  'X_Forwarded_For: 10.9.8.7',
  'X-Cluster-Client-IP: 10.9.8.7',
  'X-Forwarded-User: root',
  'X-Request-Id: chosen-by-client',
  'X-Forwarded-Port: 444',
];

it('G09: an untrusted client is who its connection says', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const gateway = await startGateway({
    routes: [{ prefix: '/', upstreams: [upstream.origin], access: 'public' }],
  });
  t.after(() => gateway.close());
  for (const field of forged) {
    await sendOnce(gateway.port, `GET / HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`);
    const seen = upstream.seen.at(-1) as Seen;
    const value = field.slice(field.indexOf(': ') + 2);
    assert.ok(!seen.rawHeaders.includes(value), field);
    assert.deepEqual(valuesOf(seen, 'x-forwarded-for'), ['127.0.0.1']);
    assert.deepEqual(valuesOf(seen, 'x-forwarded-proto'), ['http']);
  }
});

it('G09: a limit cannot be escaped by naming other addresses', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const rate = { address: { requests: 5, seconds: 3600 } };
  const gateway = await startGateway({
    routes: [{ prefix: '/', upstreams: [upstream.origin], access: 'public', rate }],
  });
  t.after(() => gateway.close());
  const statuses: number[] = [];
  let last: RawAnswer | undefined;
  for (let index = 0; index < 20; index += 1) {
    last = await sendOnce(
      gateway.port,
      `GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.0.0.${index}\r\nX-Real-IP: 10.0.1.${index}\r\n\r\n`,
    );
    statuses.push(last?.status ?? 0);
  }
  assert.deepEqual(statuses, [...Array(5).fill(200), ...Array(15).fill(429)]);
  assert.match(headersNamed(last as RawAnswer, 'retry-after')[0] ?? '', /^[1-9][0-9]*$/);
  assert.equal(JSON.parse(last?.body ?? '{}').error, 'rate_limited');
});

it('G09: behind a trusted proxy the list is read from the right', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const gateway = await startGateway({
    routes: [{ prefix: '/', upstreams: [upstream.origin], access: 'public' }],
    trustedProxies: ['127.0.0.0/8', '10.1.0.0/16'],
  });
  t.after(() => gateway.close());
  const seenAs = async (fields: string) => {
    await sendOnce(gateway.port, `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
    return valuesOf(upstream.seen.at(-1) as Seen, 'x-forwarded-for')[0];
  };
  assert.equal(await seenAs('X-Forwarded-For: 203.0.113.5\r\n'), '203.0.113.5');
  assert.equal(await seenAs('X-Forwarded-For: 1.2.3.4, 203.0.113.5\r\n'), '203.0.113.5');
  assert.equal(
    await seenAs('X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 203.0.113.5, 10.1.2.3\r\n'),
    '203.0.113.5',
  );
  assert.equal(await seenAs('X-Forwarded-For: 1.2.3.4, 10.1.2.3, nonsense, 10.1.9.9\r\n'), '10.1.9.9');
  assert.equal(await seenAs(''), '127.0.0.1');
});

it('G09: one client, one key, however the address is spelt', () => {
  const read = createAddressReader([]);
  const keyOf = (address: string) => read(address, () => undefined).key;
  assert.equal(keyOf('::ffff:203.0.113.5'), '203.0.113.5');
  assert.equal(keyOf('::FFFF:cb00:7105'), '203.0.113.5');
  const network = keyOf('2001:db8:1:2::1');
  for (const address of [
    '2001:db8:1:2:ffff:ffff:ffff:ffff',
    '2001:0DB8:0001:0002:0:0:0:9',
    '2001:db8:1:2::',
    '2001:db8:1:2:0:0:192.0.2.1',
    '2001:db8:1:2::1%eth0',
  ]) {
    assert.equal(keyOf(address), network, address);
  }
  assert.notEqual(keyOf('2001:db8:1:3::1'), network);
});
