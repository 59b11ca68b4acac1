// R04: a refusal is never kept. A token that is not valid yet, or whose key is not here yet, is asked anew every time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportPublicJwk, generateKeyPair, signJwt } from '@latchkey/core';
import { createVerifier } from '@latchkey/core/verifier';
import { someClaims } from '../support/issuer.ts';

const party = { issuer: 'https://id.example.com/auth', audience: 'https://api.example.com' };
const { signingKey } = generateKeyPair('ES256');

test('a token with `nbf` ahead is refused until then and accepted from then on', () => {
  let ahead = 0;
  const verifier = createVerifier({
    ...party,
    jwks: { keys: [exportPublicJwk(signingKey)] },
    now: () => Date.now() + ahead,
    clockTolerance: 0,
  });
  const claims = someClaims(party);
  const token = signJwt({ ...claims, nbf: claims.iat + 60 }, signingKey, { typ: 'at+jwt' });
  for (let again = 0; again < 3; again += 1) {
    assert.throws(() => verifier.verifySync(token), { code: 'not_yet_valid' });
  }
  assert.equal(verifier.status().cachedSignatures, 0);
  ahead = 61_000;
  assert.ok(verifier.verifySync(token));
  ahead = 0;
  assert.throws(() => verifier.verifySync(token), { code: 'not_yet_valid' });
});
