// C01: an expiry that is missing, no whole number of seconds, absurd, or past (RFC 7519 §4.1.4, RFC 9068 §2.2).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signAccessToken, signJwt } from '@latchkey/core';
import {
  claimsWith,
  claimsWithout,
  headerOf,
  keyFor,
  now,
  seal,
  seconds,
  tokenWith,
  verdict,
} from '../support/access_tokens.ts';

const header = headerOf(keyFor('ES256'));

test('exp must be a whole number of seconds', () => {
  assert.equal(verdict(seal(header, claimsWithout('exp'))), 'missing_claim');
  for (const exp of [`${seconds + 300}`, seconds + 0.5, -1, null, true, [], [seconds + 300], {}, '']) {
    assert.equal(verdict(tokenWith({ exp })), 'invalid_claim', JSON.stringify(exp));
  }
  const text = JSON.stringify(claimsWithout('exp'));
  for (const number of [
    '1e400',
    '-1e400',
    '1e20',
    '9007199254740993',
    'Infinity',
    '01893456000',
    '+1893456000',
  ]) {
    assert.equal(verdict(seal(header, `${text.slice(0, -1)},"exp":${number}}`)), 'malformed', number);
  }
});

test('an expiry in milliseconds, or too far off, is refused', () => {
  assert.equal(verdict(tokenWith({ exp: now + 300_000 })), 'life_too_long');
  assert.equal(verdict(tokenWith({ exp: now + 300, iat: now })), 'issued_in_future');
  assert.equal(verdict(tokenWith({ exp: seconds + 3591 })), 'life_too_long');
  assert.equal(verdict(tokenWith({ exp: seconds + 3590 })), 'accepted');
  assert.equal(verdict(tokenWith(), { expect: { maxTokenLife: 309 } }), 'life_too_long');
  assert.equal(verdict(tokenWith(), { expect: { maxTokenLife: 310 } }), 'accepted');
});

test('exp counts to the second, with the tolerance that was asked for', () => {
  const at = (after: number, clockTolerance: number) =>
    verdict(tokenWith({ exp: seconds, iat: seconds - 60 }), { expect: { now: now + after, clockTolerance } });
  assert.equal(at(-1, 0), 'accepted');
  assert.equal(at(0, 0), 'expired');
  assert.equal(at(29_999, 30), 'accepted');
  assert.equal(at(30_000, 30), 'expired');
  assert.equal(verdict(tokenWith({ exp: 0, iat: 0 })), 'expired');
  assert.equal(verdict(tokenWith({ exp: seconds - 20, iat: seconds - 10 })), 'invalid_claim', 'before iat');
});

test('a token without an expiry, or with too long a life, cannot be made', () => {
  const key = keyFor('ES256');
  for (const claims of [claimsWithout('exp'), claimsWith({ exp: undefined }), claimsWith({ exp: '1' })]) {
    assert.throws(() => signJwt(claims as never, key), TypeError);
    assert.throws(() => signAccessToken(claims as never, key), TypeError);
  }
  for (const life of [0, 29, 3601, 86_400]) {
    assert.throws(
      () => signAccessToken(claimsWith({ iat: seconds, exp: seconds + life }), key),
      TypeError,
      `${life} s`,
    );
  }
  for (const life of [30, 3600]) {
    assert.equal(typeof signAccessToken(claimsWith({ iat: seconds, exp: seconds + life }), key), 'string');
  }
  assert.throws(() => signJwt(claimsWith({ exp: seconds + 7200 }), key), TypeError);
});
