import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { makeRefreshToken, openRefreshToken, type RefreshKey } from './refresh_token.ts';

const key: RefreshKey = { id: 3, secret: randomBytes(32) };
const keys = new Map([[key.id, key]]);
const content = { sessionId: randomBytes(16).toString('base64url'), generation: 41 };
const token = makeRefreshToken(content, key);
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

test('what was made is read back, and made again it is the same: racers agree', () => {
  assert.deepEqual(openRefreshToken(token, keys), content);
  assert.equal(makeRefreshToken(content, key), token);
});

test('the layout is the documented one: lkr_, version, key id, session, generation, HMAC-SHA256', () => {
  const bytes = Buffer.from(token.slice(4), 'base64url');
  assert.equal(token.slice(0, 4), 'lkr_');
  assert.deepEqual([bytes.length, bytes[0], bytes[1], bytes.readUInt32BE(18)], [54, 1, 3, 41]);
  assert.equal(bytes.toString('base64url', 2, 18), content.sessionId);
  const mac = createHmac('sha256', key.secret).update(bytes.subarray(0, 22)).digest();
  assert.deepEqual(bytes.subarray(22), mac);
});

test('no other character in any place is accepted', () => {
  for (let at = 0; at < token.length; at += 1) {
    for (const character of `${alphabet}=. +/\0`) {
      if (character === token[at]) continue;
      const edited = token.slice(0, at) + character + token.slice(at + 1);
      assert.equal(openRefreshToken(edited, keys), undefined);
    }
  }
});

test('nothing shorter, longer or of another kind is accepted', () => {
  for (const other of [
    '',
    'lkr_',
    token.slice(0, -1),
    `${token}A`,
    `${token}=`,
    ` ${token}`,
    token.slice(4),
    token.replace('lkr_', 'lkd_'),
  ])
    assert.equal(openRefreshToken(other, keys), undefined);
});

test('a key under the same id that is not the one, and no key at all, open nothing', () => {
  assert.equal(openRefreshToken(token, new Map([[3, { id: 3, secret: randomBytes(32) }]])), undefined);
  assert.equal(openRefreshToken(token, new Map()), undefined);
});
