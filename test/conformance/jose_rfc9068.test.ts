// RFC 9068: the profile for access tokens, and our own additions to it (design section 4).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasRole, type Jwk, signAccessToken, supportedAlgorithms, verifyAccessToken } from '@latchkey/core';
import {
  audience,
  claimsWith,
  claimsWithout,
  expectation,
  headerOf,
  issuer,
  keyFor,
  publicKeys,
  seal,
  verdict,
} from '../support/access_tokens.ts';

const key = keyFor('ES256');

test('§2: header and claims are those of the profile', () => {
  const [header, payload] = signAccessToken(claimsWith(), key)
    .split('.')
    .map((text) => Buffer.from(text, 'base64url').toString());
  assert.deepEqual(JSON.parse(header ?? ''), { alg: 'ES256', kid: key.kid, typ: 'at+jwt' });
  assert.deepEqual(JSON.parse(payload ?? ''), claimsWith());
});

test('§4: a good token is accepted, and comes back frozen', () => {
  const custom = { tenant: { id: 'a', tags: ['x'] } };
  const verified = verifyAccessToken(signAccessToken(claimsWith(custom), key), publicKeys(key), expectation);
  assert.deepEqual({ ...verified.claims }, claimsWith(custom));
  assert.deepEqual({ ...verified.header }, headerOf(key));
  const { claims, header } = verified;
  for (const part of [
    claims,
    header,
    claims.roles,
    claims['tenant'],
    (claims['tenant'] as { tags: unknown }).tags,
  ]) {
    assert.ok(Object.isFrozen(part));
  }
});

test('every algorithm of this runtime carries an access token', () => {
  for (const alg of supportedAlgorithms()) {
    if (alg === 'HS256') continue;
    const token = signAccessToken(claimsWith(), keyFor(alg));
    assert.equal(verdict(token, { keys: publicKeys(keyFor(alg)) }), 'accepted', alg);
    assert.equal(verdict(token, { keys: publicKeys() }), 'unknown_key', alg);
  }
});

test('required claims are required, and a claim of our own that is absent grants nothing', () => {
  for (const name of ['iss', 'sub', 'aud', 'exp', 'iat', 'jti']) {
    assert.equal(verdict(seal(headerOf(key), claimsWithout(name))), 'missing_claim', name);
  }
  const bare = seal(headerOf(key), {
    ...{ iss: issuer, sub: 'u', aud: audience, jti: 'j' },
    ...{ exp: claimsWith().exp, iat: claimsWith().iat },
  });
  const { claims } = verifyAccessToken(bare, publicKeys(key), expectation);
  assert.deepEqual([claims.roles, claims.scope, claims.ver, claims.rver, claims.sid], [[], '', 0, 0, '']);
  assert.equal(hasRole(claims, ''), false);
  // What was filled in is not a value that a token may carry.
  for (const name of ['sid', 'client_id']) {
    assert.equal(verdict(seal(headerOf(key), claimsWith({ [name]: '' }))), 'invalid_claim', name);
  }
});

test('we sign only complete claims', () => {
  for (const name of Object.keys(claimsWith())) {
    assert.throws(() => signAccessToken(claimsWithout(name) as never, key), TypeError, name);
  }
});

test('a published key has public members only', () => {
  const allowed = ['kty', 'crv', 'x', 'y', 'n', 'e', 'pub', 'kid', 'alg', 'use'];
  for (const alg of supportedAlgorithms()) {
    if (alg === 'HS256') continue;
    const [published] = [...publicKeys(keyFor(alg)).values()];
    const jwk = published?.key.export({ format: 'jwk' }) as unknown as Jwk;
    assert.deepEqual(
      Object.keys(jwk).filter((name) => !allowed.includes(name)),
      [],
      alg,
    );
  }
});
