// R03 (CVE-2025-2559, GHSA-xg6x-h9c9-2m83): a cached token must end with its expiry and with its revocation, to the second, and the
// cache must not grow without bound.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportPublicJwk, generateKeyPair, signAccessToken } from '@latchkey/core';
import { createVerifier } from '@latchkey/core/verifier';
import { someClaims, startIssuer, until } from '../support/issuer.ts';

const party = { issuer: 'https://id.example.com/auth', audience: 'https://api.example.com' };
const { signingKey } = generateKeyPair('ES256');
const jwks = { keys: [exportPublicJwk(signingKey)] };

test('a hit after `exp` is refused at the very second, and one before `iat` too', () => {
  const claims = { ...someClaims(party), iat: 1_000_000, exp: 1_000_300 };
  let now = 1_000_010_000;
  const verifier = createVerifier({ ...party, jwks, now: () => now, clockTolerance: 5 });
  const token = signAccessToken(claims, signingKey);
  const at = (milliseconds: number) => {
    now = milliseconds;
    return () => verifier.verifySync(token);
  };
  assert.ok(at(1_000_010_000)());
  assert.ok(at(1_000_304_999)());
  assert.throws(at(1_000_305_000), { code: 'expired' });
  assert.ok(at(999_995_000)());
  assert.throws(at(999_994_999), { code: 'issued_in_future' });
  assert.equal(verifier.status().cachedSignatures, 1);
});

test('a hit after the revocation is refused', async () => {
  const issuer = await startIssuer();
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience });
  try {
    await verifier.ready();
    await until(() => issuer.open === 1, 'the stream is open');
    const claims = someClaims(issuer);
    const token = issuer.token(claims);
    for (let hits = 0; hits < 3; hits += 1) assert.ok(verifier.verifySync(token));
    issuer.revoke({ by: 'jti', value: claims.jti });
    await until(() => verifier.status().marks === 1, 'the mark is there');
    assert.throws(() => verifier.verifySync(token), { code: 'revoked' });
    assert.throws(() => verifier.verifySync(token), { code: 'revoked' });
  } finally {
    verifier.close();
    await issuer.close();
  }
});

test('more distinct tokens than fit: the cache stays within its bytes and everybody is served', () => {
  const verifier = createVerifier({ ...party, jwks, signatureCacheBytes: 200_000 });
  const none = createVerifier({ ...party, jwks, signatureCacheBytes: 0 });
  for (let at = 0; at < 500; at += 1) {
    const token = signAccessToken(someClaims(party), signingKey);
    // Kept from the second time on.
    for (let times = 0; times < 2; times += 1)
      assert.ok(verifier.verifySync(token) && none.verifySync(token));
    // An entry takes more than a kilobyte.
    assert.ok(verifier.status().cachedSignatures < 200);
  }
  assert.ok(verifier.status().cachedSignatures > 20);
  assert.equal(none.status().cachedSignatures, 0);
});
