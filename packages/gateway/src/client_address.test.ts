import assert from 'node:assert/strict';
import { it } from 'node:test';
import { canonicalAddress, createAddressReader, limitKey, parseBlock } from './client_address.ts';

it('spells an address one way', () => {
  assert.equal(canonicalAddress('192.0.2.1'), '192.0.2.1');
  assert.equal(canonicalAddress('::ffff:192.0.2.1'), '192.0.2.1');
  assert.equal(canonicalAddress('2001:DB8:0:0:0:0:0:1'), '2001:db8::1');
  assert.equal(canonicalAddress('fe80::1%eth0'), 'fe80::1');
  assert.equal(canonicalAddress('::'), '::');
  for (const text of ['', '1.2.3', '1.2.3.4:80', '[::1]', 'host', '01.2.3.4', '1.2.3.4 ', 'g::1'])
    assert.equal(canonicalAddress(text), undefined, text);
});

it('counts IPv6 by its /64', () => {
  assert.equal(limitKey('192.0.2.1'), '192.0.2.1');
  assert.equal(limitKey('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  assert.equal(limitKey('2001:db8::1'), '2001:db8:0:0::/64');
});

it('reads blocks', () => {
  assert.deepEqual(parseBlock('10.0.0.0/8'), { address: '10.0.0.0', bits: 8, family: 'ipv4' });
  assert.deepEqual(parseBlock('::1'), { address: '::1', bits: 128, family: 'ipv6' });
  for (const text of ['', 'a', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '::1/129', 'fe80::1%a', 5])
    assert.equal(parseBlock(text), undefined, String(text));
});

it('asks nobody but a trusted proxy', () => {
  const read = createAddressReader(['10.0.0.1', 'fd00::/8']);
  assert.deepEqual(
    read('192.0.2.1', () => '1.1.1.1'),
    { address: '192.0.2.1', key: '192.0.2.1', proxied: false },
  );
  assert.equal(read('::ffff:10.0.0.1', () => '1.1.1.1, 2.2.2.2').address, '2.2.2.2');
  assert.equal(read('fd00::5', () => '1.1.1.1, 10.0.0.1').address, '1.1.1.1');
  assert.equal(read('10.0.0.1', () => '1.1.1.1, evil').address, '10.0.0.1');
  assert.equal(read(undefined, () => '1.1.1.1').address, 'unknown');
});
