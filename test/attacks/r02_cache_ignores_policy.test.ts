// R02 (CVE-2021-32701, GHSA-4mq7-pvjg-xp2r): a token primed on one route or at one verifier must not pass another policy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportPublicJwk, generateKeyPair, signAccessToken } from '@latchkey/core';
import { authenticate } from '@latchkey/core/fetch';
import { createVerifier } from '@latchkey/core/verifier';
import { someClaims } from '../support/issuer.ts';

const party = { issuer: 'https://id.example.com/auth', audience: 'https://api.example.com' };
const { signingKey } = generateKeyPair('ES256');
const jwks = { keys: [exportPublicJwk(signingKey)] };

test('a cached token is refused where its route asks for more', async () => {
  const verifier = createVerifier({ ...party, jwks });
  const token = signAccessToken({ ...someClaims(party), scope: 'foo', roles: ['clerk'] }, signingKey);
  const request = (): Request => new Request('http://x/', { headers: { authorization: `Bearer ${token}` } });
  for (let round = 0; round < 2; round += 1) {
    assert.ok('auth' in (await authenticate(request(), verifier, { permission: 'foo' })));
    for (const requirement of [{ permission: 'bar' }, { role: 'doctor' }]) {
      const outcome = await authenticate(request(), verifier, requirement);
      assert.equal('response' in outcome && outcome.response.status, 403);
    }
  }
  assert.equal(verifier.status().cachedSignatures, 1);
});

test('the same key at another audience or issuer: refused, and never kept', () => {
  const token = signAccessToken(someClaims(party), signingKey);
  assert.ok(createVerifier({ ...party, jwks }).verifySync(token));
  const elsewhere = createVerifier({ ...party, audience: 'https://other.example.com', jwks });
  const foreign = createVerifier({ ...party, issuer: 'https://other.example.com', jwks });
  for (let round = 0; round < 2; round += 1) {
    assert.throws(() => elsewhere.verifySync(token), { code: 'wrong_audience' });
    assert.throws(() => foreign.verifySync(token), { code: 'wrong_issuer' });
  }
  assert.equal(elsewhere.status().cachedSignatures + foreign.status().cachedSignatures, 0);
});
