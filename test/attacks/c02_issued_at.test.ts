// C02: tokens from the future, and times of odd types in nbf and iat (RFC 7519 §4.1.5, §4.1.6, RFC 9068 §2.2).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keySet, verifyAccessToken } from '@latchkey/core';
import {
  claimsWithout,
  expectation,
  headerOf,
  keyFor,
  seal,
  seconds,
  tokenWith,
  verdict,
} from '../support/access_tokens.ts';

const header = headerOf(keyFor('ES256'));

test('iat must be there, nbf may, and both are whole seconds', () => {
  assert.equal(verdict(seal(header, claimsWithout('iat'))), 'missing_claim');
  for (const value of [`${seconds}`, null, seconds + 0.1, -1, true, [], {}]) {
    assert.equal(verdict(tokenWith({ iat: value })), 'invalid_claim', `iat ${JSON.stringify(value)}`);
    assert.equal(verdict(tokenWith({ nbf: value })), 'invalid_claim', `nbf ${JSON.stringify(value)}`);
  }
  for (const name of ['iat', 'nbf']) {
    const text = JSON.stringify(claimsWithout(name));
    assert.equal(verdict(seal(header, `${text.slice(0, -1)},"${name}":1e400}`)), 'malformed');
  }
});

test('neither may lie ahead by more than the tolerance', () => {
  assert.equal(verdict(tokenWith({ iat: seconds + 30 })), 'accepted');
  assert.equal(verdict(tokenWith({ iat: seconds + 31 })), 'issued_in_future');
  assert.equal(verdict(tokenWith({ nbf: seconds + 30 })), 'accepted');
  assert.equal(verdict(tokenWith({ nbf: seconds + 31 })), 'not_yet_valid');
  assert.equal(verdict(tokenWith({ nbf: seconds + 1 }), { expect: { clockTolerance: 0 } }), 'not_yet_valid');
});

test('the tolerance itself is bounded', () => {
  for (const clockTolerance of [-1, 61, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => verifyAccessToken(tokenWith(), keySet(), { ...expectation, clockTolerance }),
      TypeError,
    );
  }
});
