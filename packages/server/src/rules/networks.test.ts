import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNetworks, isNetwork, linkLocal, loopback, publicInternet } from './networks.ts';

test('the public internet, and nothing that only looks like it', () => {
  for (const address of ['8.8.8.8', '1.1.1.1', '223.255.255.254', '2606:4700::1111', '2a00::1'])
    assert.ok(publicInternet(address), address);
  const others = `0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.168.1.1
    198.18.0.1 203.0.113.1 224.0.0.1 255.255.255.255 168.63.129.16 :: ::1 fe80::1 fc00::1 fd00:ec2::254 ff02::1 64:ff9b::a00:1
    2001::1 2001:db8::1 2002:7f00:1:: 3fff::1 5f00::1 100::1`;
  for (const address of others.split(/\s+/)) assert.ok(!publicInternet(address), address);
});

test('this machine, and its link', () => {
  assert.ok(loopback('127.1.2.3') && loopback('::1') && !loopback('128.0.0.1') && !loopback('::2'));
  assert.ok(linkLocal('169.254.169.254') && linkLocal('fe80::1') && !linkLocal('169.253.0.1'));
});

test('networks as a setting names them', () => {
  for (const text of ['10.1.0.0/16', '10.1.2.3', 'fd00::/8', '::1', '0.0.0.0/0'])
    assert.ok(isNetwork(text), text);
  for (const text of [
    '',
    'loopback',
    '10.1.0.0/33',
    '10.1/16',
    'fd00::/129',
    'example.com',
    '10.1.0.0/16 ',
    '10.1.0.0/-1',
  ])
    assert.ok(!isNetwork(text), text);
  const own = createNetworks(['10.1.0.0/16', 'fd00::/8']);
  assert.ok(own('10.1.255.255') && own('fd12::1') && !own('10.2.0.1') && !own('fe00::1'));
});
