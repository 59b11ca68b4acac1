// C05: one kind of token used as another (RFC 9068 §2.1, RFC 8725 §3.11). Every kind has its `typ`, every place takes one kind:
// only the diagonal of the table passes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JwtClaims, signJwt, verifyJwt } from '@latchkey/core';
import {
  audience,
  claimsWith,
  headerOf,
  issuer,
  judge,
  keyFor,
  now,
  publicKeys,
  seal,
  verdict,
} from '../support/access_tokens.ts';

const kinds = [
  'at+jwt',
  'JWT',
  'rt+jwt',
  'email-link+jwt',
  'reset-link+jwt',
  'service+jwt',
  'secevent+jwt',
  'logout+jwt',
  'dpop+jwt',
];
const key = keyFor('ES256');
const options = { issuer, audience, now, algorithms: ['ES256'] } as const;

test('only the diagonal passes', () => {
  for (const made of kinds) {
    const token = signJwt(claimsWith() as JwtClaims, key, { typ: made });
    assert.equal(verdict(token), made === 'at+jwt' ? 'accepted' : 'wrong_type', `${made} as access token`);
    for (const wanted of kinds) {
      const outcome = judge(() => verifyJwt(token, publicKeys(key), { ...options, typ: wanted }));
      assert.equal(outcome, made === wanted ? 'accepted' : 'wrong_type', `${made} where ${wanted} is due`);
    }
    const untyped = judge(() => verifyJwt(token, publicKeys(key), options));
    assert.equal(untyped, made === 'JWT' ? 'accepted' : 'wrong_type', `${made} where nothing is said`);
  }
});

test('a media type has no case and may be written in full, and nothing else', () => {
  for (const typ of ['at+jwt', 'AT+JWT', 'At+Jwt', 'application/at+jwt', 'APPLICATION/AT+JWT']) {
    assert.equal(verdict(seal({ ...headerOf(key), typ }, claimsWith())), 'accepted', typ);
  }
  const { typ: _, ...untyped } = headerOf(key);
  assert.equal(verdict(seal(untyped, claimsWith())), 'wrong_type', 'none');
  const wrong = [
    '',
    ' at+jwt',
    'at+jwt ',
    'at+jwt;x',
    'at-jwt',
    'at',
    'text/at+jwt',
    'application/application/at+jwt',
    'application/',
  ];
  // The long s lower-cases to an s in some comparisons; the dotless i and full-width letters likewise.
  for (const typ of [...wrong, 'ａt+jwt', 'at+\u0458wt', 'at+jwt\0']) {
    assert.equal(verdict(seal({ ...headerOf(key), typ }, claimsWith())), 'wrong_type', typ);
  }
  for (const typ of [null, [], ['at+jwt'], {}, 1, true]) {
    assert.equal(verdict(seal({ ...headerOf(key), typ }, claimsWith())), 'malformed', JSON.stringify(typ));
  }
});
