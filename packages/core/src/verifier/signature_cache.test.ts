import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { AccessTokenClaims, VerifiedToken } from '../access_token.ts';
import { createSignatureCache } from './signature_cache.ts';

const header = Object.freeze({ alg: 'ES256', kid: 'k', typ: 'at+jwt' } as const);

function entry(jti: string): VerifiedToken {
  return { header, claims: Object.freeze({ jti, roles: ['a'] }) as unknown as AccessTokenClaims };
}

function token(length = 300): string {
  return `${randomBytes(length).toString('base64url')}.${randomBytes(64).toString('base64url')}`;
}

test('an entry is found by the whole token and by nothing else', () => {
  const cache = createSignatureCache(1 << 20);
  const text = token();
  const verified = entry('one');
  assert.equal(cache.get(text), undefined);
  cache.set(text, verified);
  assert.equal(cache.get(Buffer.from(text).toString()), verified, 'a fresh string');
  assert.equal(cache.get(`Bearer ${text}`.slice(7)), verified, 'a slice');
  // The same signature under another payload, and every change of one character.
  for (let at = 0; at < text.length; at++) {
    assert.equal(
      cache.get(text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)),
      undefined,
    );
  }
  for (const other of ['', 'x', text.slice(1), text.slice(0, -1), `${text}x`, `x${text}`]) {
    assert.equal(cache.get(other), undefined);
  }
  cache.clear();
  assert.equal(cache.get(text), undefined);
  assert.deepEqual([cache.size, cache.bytes], [0, 0]);
});

test('thousands of entries are all found, also where their signatures begin alike', () => {
  const cache = createSignatureCache(64 << 20);
  const tokens = Array.from({ length: 5000 }, () => token(60));
  // Ends alike: the part that is hashed is the same for all of these, so only the comparison tells them apart.
  const alike = Array.from({ length: 50 }, (_, index) => `${index}.${'A'.repeat(86)}`);
  for (const text of [...tokens, ...alike]) cache.set(text, entry(text));
  assert.equal(cache.size, tokens.length + alike.length);
  for (const text of [...tokens, ...alike]) assert.equal(cache.get(text)?.claims.jti, text);
});

test('it never takes more than its bytes, and keeps what is in use', () => {
  const limit = 256 << 10;
  const cache = createSignatureCache(limit);
  const hot = Array.from({ length: 20 }, () => token());
  for (const text of hot) cache.set(text, entry(text));
  for (let n = 0; n < 5000; n++) {
    const passing = token();
    cache.set(passing, entry(passing));
    assert.ok(cache.bytes <= limit, `${cache.bytes} bytes after ${n}`);
    const kept = hot[n % hot.length] ?? '';
    assert.equal(cache.get(kept)?.claims.jti, kept, 'what is asked for stays');
  }
  assert.ok(cache.size > 100 && cache.size < 1000);
});

test('nothing larger than its share is kept, and no size keeps nothing', () => {
  const cache = createSignatureCache(4096);
  const large = token(4000);
  cache.set(large, entry('large'));
  assert.deepEqual([cache.size, cache.get(large)], [0, undefined]);
  const none = createSignatureCache(0);
  none.set('a.b.c', entry('x'));
  assert.equal(none.size, 0);
  for (const size of [-1, Number.NaN, Number.POSITIVE_INFINITY, '1' as never]) {
    assert.throws(() => createSignatureCache(size), TypeError);
  }
});

test('setting a token twice keeps one entry', () => {
  const cache = createSignatureCache(1 << 20);
  const text = token();
  cache.set(text, entry('first'));
  const { bytes } = cache;
  cache.set(text, entry('second'));
  assert.deepEqual([cache.size, cache.bytes, cache.get(text)?.claims.jti], [1, bytes, 'first']);
});
