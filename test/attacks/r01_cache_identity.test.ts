// R01 (CVE-2026-35039, CVE-2026-35030): a cache that is keyed by a part of the token hands one user's identity to another. Ours is
// found by the whole token only: tokens that differ anywhere have nothing in common, and no edit of a cached token hits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportPublicJwk, generateKeyPair, signAccessToken, TokenError } from '@latchkey/core';
import { createVerifier } from '@latchkey/core/verifier';
import { someClaims } from '../support/issuer.ts';

const party = { issuer: 'https://id.example.com/auth', audience: 'https://api.example.com' };
const { signingKey } = generateKeyPair('ES256');
const verifier = createVerifier({ ...party, jwks: { keys: [exportPublicJwk(signingKey)] } });

test('tokens with equal claims but one get their own identity, cold and cached', () => {
  const common = someClaims(party);
  const tokens = Array.from({ length: 50 }, (_, at) =>
    signAccessToken({ ...common, sub: `user-${at}` }, signingKey),
  );
  for (let round = 0; round < 2; round += 1) {
    for (const [at, token] of tokens.entries())
      assert.equal(verifier.verifySync(token).claims.sub, `user-${at}`);
  }
  assert.equal(verifier.status().cachedSignatures, 50);
});

test('no single-character edit of a cached token is accepted, at any place', () => {
  const token = signAccessToken(someClaims(party), signingKey);
  assert.ok(verifier.verifySync(token));
  for (let at = 0; at < token.length; at += 1) {
    const replacement = token[at] === 'A' ? 'B' : 'A';
    const edited = token.slice(0, at) + replacement + token.slice(at + 1);
    assert.throws(() => verifier.verifySync(edited), TokenError, `at ${at}`);
  }
  for (const edited of [`${token} `, ` ${token}`, token.slice(0, -1), `${token}A`]) {
    assert.throws(() => verifier.verifySync(edited), TokenError);
  }
});

test('what one request got, another one cannot change', () => {
  const token = signAccessToken(someClaims(party), signingKey);
  const first = verifier.verifySync(token);
  assert.throws(() => (first.claims.roles as string[]).push('administrator'), TypeError);
  assert.throws(() => Object.assign(first, { claims: {} }), TypeError);
  assert.throws(() => Object.assign(first.claims, { sub: 'other' }), TypeError);
  assert.deepEqual(verifier.verifySync(token).claims.roles, ['doctor']);
});
