import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressKey } from './addresses.ts';

test('one IPv6 customer is one address: all spellings and the whole /64', () => {
  const spellings = [
    '2001:db8:1:2::1',
    '2001:0db8:0001:0002:ffff:ffff:ffff:ffff',
    '2001:DB8:1:2:0:0:0:9',
    '2001:db8:1:2::1%eth0',
  ];
  assert.deepEqual([...new Set(spellings.map(addressKey))], ['2001:db8:1:2::/64']);
  assert.equal(addressKey('2001:db8:1:3::1'), '2001:db8:1:3::/64');
  assert.equal(addressKey('::1'), '0:0:0:0::/64');
  assert.equal(addressKey('2001:db8::'), '2001:db8:0:0::/64');
});

test('an IPv4 address is itself, mapped into IPv6 or not', () => {
  assert.equal(addressKey('192.0.2.7'), '192.0.2.7');
  assert.equal(addressKey('::ffff:192.0.2.7'), '192.0.2.7');
  assert.equal(addressKey('::FFFF:192.0.2.7'), '192.0.2.7');
});

test('what is no address shares one counter, so that inventing them wins nothing', () => {
  for (const text of ['', 'example.com', '192.0.2.7:80', '999.1.1.1', '<b>', 'a'.repeat(5000)])
    assert.equal(addressKey(text), 'unknown');
});
