// C06: a subject that is no identifier (RFC 8725 §3.8, RFC 9700 §4.15): it goes into headers, logs and look-ups as it is. Users and
// clients have different claims, so that one is never read as the other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signAccessToken } from '@latchkey/core';
import {
  claimsWith,
  claimsWithout,
  headerOf,
  keyFor,
  seal,
  tokenWith,
  verdict,
} from '../support/access_tokens.ts';

const bad = [
  1,
  0,
  null,
  true,
  {},
  [],
  ['u'],
  '',
  ' ',
  'a b',
  'a\0b',
  'a\r\nX-Auth-Roles: admin',
  'a\tb',
  'ü',
  'а',
  'x'.repeat(256),
  'x'.repeat(4000),
];

test('sub must be 1 to 255 visible ASCII characters', () => {
  assert.equal(verdict(seal(headerOf(keyFor('ES256')), claimsWithout('sub'))), 'missing_claim');
  for (const sub of bad)
    assert.equal(verdict(tokenWith({ sub })), 'invalid_claim', JSON.stringify(sub).slice(0, 40));
  for (const sub of ['u', '0190b1c2-7b1e-7c55-9f0a-0242ac120002', 'auth0|5f7c', 'x'.repeat(255)]) {
    assert.equal(verdict(tokenWith({ sub })), 'accepted', sub.slice(0, 40));
  }
});

test('the same holds for the other identifiers', () => {
  for (const name of ['jti', 'sid', 'client_id']) {
    for (const value of bad) {
      assert.equal(
        verdict(tokenWith({ [name]: value })),
        'invalid_claim',
        `${name} ${JSON.stringify(value).slice(0, 40)}`,
      );
    }
  }
});

test('we do not make such tokens either', () => {
  for (const sub of bad)
    assert.throws(() => signAccessToken(claimsWith({ sub }), keyFor('ES256')), TypeError);
});
