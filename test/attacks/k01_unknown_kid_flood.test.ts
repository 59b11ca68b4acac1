// K01: a flood of tokens with unknown key ids must not become a flood of key set requests. At most one fetch per cool-down, single
// flight, a bounded memory of misses, and ids of the wrong form never count.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportPrivateKey, generateKeyPair, importPrivateKey } from '@latchkey/core';
import { createVerifier } from '@latchkey/core/verifier';
import { startIssuer } from '../support/issuer.ts';

test('10,000 unknown kids in a minute cost one fetch per cool-down; a real new key is found after it', async () => {
  const issuer = await startIssuer();
  let elapsed = 0;
  const verifier = createVerifier({
    issuer: issuer.issuer,
    audience: issuer.audience,
    signals: 'off',
    monotonic: () => elapsed,
  });
  try {
    await verifier.ready();
    assert.equal(issuer.counts.jwks, 1);
    const signer = exportPrivateKey(generateKeyPair('ES256').signingKey);
    const known = issuer.token().split('.');
    for (let at = 0; at < 10_000; at += 1) {
      elapsed = at * 6;
      const header = { alg: 'ES256', kid: `unknown-${at}`, typ: 'at+jwt' };
      const token = [Buffer.from(JSON.stringify(header)).toString('base64url'), known[1], known[2]].join('.');
      await assert.rejects(verifier.verify(token), { code: 'unknown_key' });
      assert.throws(() => verifier.verifySync(token), { code: 'unknown_key' });
    }
    assert.ok(issuer.counts.jwks >= 2 && issuer.counts.jwks <= 3, `${issuer.counts.jwks} fetches`);

    const { jwks } = issuer.counts;
    elapsed += 30_000;
    const next = importPrivateKey(signer, 'ES256', 'next');
    issuer.keys.push(next);
    const token = issuer.token({}, next);
    const answers = await Promise.all(Array.from({ length: 100 }, () => verifier.verify(token)));
    assert.equal(answers.length, 100);
    assert.equal(issuer.counts.jwks, jwks + 1);
  } finally {
    verifier.close();
    await issuer.close();
  }
});

test('a kid of the wrong form is refused before any look-up', async () => {
  const issuer = await startIssuer();
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, signals: 'off' });
  try {
    await verifier.ready();
    const [, payload, signature] = issuer.token().split('.');
    for (const kid of ['../../etc/passwd', "x' OR 1=1", 'a b', 'x'.repeat(65), '']) {
      const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid, typ: 'at+jwt' })).toString('base64url');
      await assert.rejects(verifier.verify(`${header}.${payload}.${signature}`), { code: 'malformed' });
    }
    assert.equal(issuer.counts.jwks, 1);
  } finally {
    verifier.close();
    await issuer.close();
  }
});
