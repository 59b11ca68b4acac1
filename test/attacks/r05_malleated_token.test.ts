// R05: revocation holds for the token's `jti` and session, not for its text. A revoked token comes back in every other spelling and as
// another signature over the same claims: none is accepted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenError } from '@latchkey/core';
import { createVerifier } from '@latchkey/core/verifier';
import { someClaims, startIssuer, until } from '../support/issuer.ts';

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The other signature that the curve accepts for the same bytes: (r, n - s). */
function twin(token: string): string {
  const [header, payload, signature] = token.split('.') as [string, string, string];
  const raw = Buffer.from(signature, 'base64url');
  const s = order - BigInt(`0x${raw.subarray(32).toString('hex')}`);
  const other = Buffer.concat([raw.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
  return `${header}.${payload}.${other.toString('base64url')}`;
}

test('a revoked token stays refused in every spelling', async () => {
  const issuer = await startIssuer();
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience });
  try {
    await verifier.ready();
    await until(() => issuer.open === 1, 'the stream is open');
    const claims = someClaims(issuer);
    const token = issuer.token(claims);
    assert.ok(verifier.verifySync(token));
    issuer.revoke({ by: 'jti', value: claims.jti });
    await until(() => verifier.isRevoked(claims) === 'revoked', 'the mark is there');
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const spaced = Buffer.from(` ${Buffer.from(payload, 'base64url').toString()}`).toString('base64url');
    const variants = [
      twin(token),
      `${token}=`,
      `${token}==`,
      `${header}=.${payload}.${signature}`,
      `${header}.${payload}.${signature}.`,
      `${header}.${spaced}.${signature}`,
      `${token}\n`,
      `%${token}`,
      token.replaceAll('-', '+').replaceAll('_', '/'),
    ];
    // The last character carries two bits of the signature and four that must be zero.
    for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
      variants.push(token.slice(0, -1) + last);
    for (const variant of variants) assert.throws(() => verifier.verifySync(variant), TokenError);
    for (let again = 0; again < 20; again += 1) {
      const resigned = issuer.token(claims);
      assert.throws(() => verifier.verifySync(resigned), { code: 'revoked' });
    }
    assert.ok(verifier.verifySync(issuer.token({ ...claims, jti: 'another' })));
  } finally {
    verifier.close();
    await issuer.close();
  }
});
