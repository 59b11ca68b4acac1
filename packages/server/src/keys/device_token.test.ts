import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { makeDeviceToken, openDeviceToken } from './device_token.ts';

const key = { id: 1, secret: randomBytes(32) };
const keys = new Map([[1, key]]);
const token = makeDeviceToken('usr_ada', key);

test('a device is known to the account that signed in on it, and to no other', () => {
  assert.match(openDeviceToken(token, 'usr_ada', keys) ?? '', /^[\w-]{22}$/);
  assert.equal(openDeviceToken(token, 'usr_bob', keys), undefined);
});

test('forged, cut and foreign tokens are no devices', () => {
  const foreign = makeDeviceToken('usr_ada', { id: 1, secret: randomBytes(32) });
  for (const other of [
    '',
    'lkd_',
    token.slice(0, -4),
    `${token}AAAA`,
    foreign,
    token.replace('lkd_', 'lkr_'),
  ])
    assert.equal(openDeviceToken(other, 'usr_ada', keys), undefined);
});

test('made anew under another key, a device stays the same device', () => {
  const next = { id: 2, secret: randomBytes(32) };
  const device = openDeviceToken(token, 'usr_ada', keys);
  const renewed = makeDeviceToken('usr_ada', next, device);
  assert.equal(openDeviceToken(renewed, 'usr_ada', new Map([[2, next]])), device);
});
