// T03: a blank, missing or guessable HMAC secret (RFC 7518 §3.2, CVE-2019-20933, CVE-2020-28637, CVE-2026-44351).
import assert from 'node:assert/strict';
import { createHmac, createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { hmacKey, keySet } from '@latchkey/core';
import { claimsWith, jwsVerdict, keyFor, segment, verdict } from '../support/access_tokens.ts';

const common = [
  ...[
    'secret',
    'Secret',
    'password',
    'changeme',
    'your-256-bit-secret',
    'my-32-character-ultra-secure-and-ultra-long-secret',
  ],
  ...[
    'jwt',
    'token',
    'key',
    'private',
    'admin',
    'test',
    'default',
    'AllYourBase',
    'GUID',
    'secretkey',
    'hello world',
    '1234567890',
  ],
];

test('no blank, short or textual secret makes a key', () => {
  for (const secret of ['', null, undefined, 0, {}, [], Buffer.alloc(0), Buffer.alloc(64), ...common]) {
    assert.throws(() => hmacKey(secret as never, 'k'), TypeError);
  }
  for (const bytes of [1, 16, 31]) {
    assert.throws(() => hmacKey(createSecretKey(Buffer.alloc(bytes, 1)), 'k'), TypeError, `${bytes} bytes`);
    const k = Buffer.alloc(bytes, 1).toString('base64url');
    assert.throws(() => hmacKey({ kty: 'oct', k }, 'k'), TypeError, `${bytes} bytes as JWK`);
  }
  assert.throws(() => hmacKey({ kty: 'oct', k: '' }, 'k'), TypeError);
  assert.equal(hmacKey(createSecretKey(Buffer.alloc(32, 1)), 'k').alg, 'HS256');
});

test('an unknown kid is refused, never checked against an empty secret', () => {
  const secrets = ['', '\0', 'undefined', 'null', ...common];
  const keys = keySet(hmacKey(createSecretKey(Buffer.alloc(32, 9)), 'right'));
  for (const secret of secrets) {
    for (const kid of ['other', 'right']) {
      const input = `${segment({ alg: 'HS256', kid, typ: 'at+jwt' })}.${segment(claimsWith())}`;
      const token = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
      const expected = kid === 'right' ? 'invalid_signature' : 'unknown_key';
      assert.equal(verdict(token, { keys }), expected);
      assert.equal(jwsVerdict(token, keys, ['HS256']), expected);
      assert.equal(verdict(token), 'unknown_key', `beside ${keyFor('ES256').alg}`);
    }
  }
});
