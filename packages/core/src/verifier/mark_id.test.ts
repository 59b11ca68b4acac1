import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { hashId, idLength, readId, writeId } from './mark_id.ts';

const words = new Int32Array(4);
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

test('128 bits come back as the text they were, behind any prefix', () => {
  for (let i = 0; i < 2_000; i += 1) {
    const bytes = i < 256 ? Buffer.alloc(16, i) : randomBytes(16);
    const text = bytes.toString('base64url');
    assert.ok(readId(`usr_${text}`.slice(i % 5), words));
    assert.equal(writeId(words, 0), text);
    assert.equal(words[0], bytes.readInt32BE(0));
  }
});

test('only the canonical text is an identifier: the fifteen others with the same bits are refused', () => {
  const text = randomBytes(16).toString('base64url');
  const taken = [...alphabet].filter((last) => readId(text.slice(0, -1) + last, words));
  assert.deepEqual(taken, ['A', 'Q', 'g', 'w']);
});

test('a character of another alphabet is refused at every place', () => {
  const text = 'A'.repeat(idLength);
  const foreign = [...'+/=. \0\x7f', 'ä', '\u0141', '\u4141', '\ud83d', '\u8041', '\uff21'];
  for (let at = 0; at < idLength; at += 1) {
    for (const character of foreign) {
      assert.ok(!readId(text.slice(0, at) + character + text.slice(at + 1), words), `${at} ${character}`);
    }
  }
});

test('identifiers that differ in few bits only, as an attacker would choose them, are spread like random ones', () => {
  const slots = new Uint32Array(1024);
  const count = 65_536;
  for (let i = 0; i < count; i += 1) {
    words.fill(0);
    words[i & 3] = i << (i & 15);
    slots[hashId(words, 0) >>> 22]! += 1;
  }
  // 64 each on average, and the deviation of a fair throw is 8.
  assert.ok(Math.max(...slots) < 64 + 8 * 40, `${Math.max(...slots)}`);
});
