// C04: a token of another issuer (RFC 8725 §3.8, CVE-2025-30144, CVE-2026-31813). The issuer is compared whole, and an issuer's tokens
// are checked with its own keys only, also where two issuers use one `kid`.
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { test } from 'node:test';
import {
  exportPrivateKey,
  generateKeyPair,
  importPrivateKey,
  keySet,
  verifyAccessToken,
} from '@latchkey/core';
import {
  claimsWithout,
  expectation,
  headerOf,
  issuer,
  keyFor,
  publicKeys,
  seal,
  tokenWith,
  verdict,
} from '../support/access_tokens.ts';

test('iss must be the one expected', () => {
  assert.equal(verdict(seal(headerOf(keyFor('ES256')), claimsWithout('iss'))), 'missing_claim');
  for (const iss of [[issuer], {}, 0, null, true, '', ' ', `${issuer}\n`, `${issuer}\0`]) {
    assert.equal(verdict(tokenWith({ iss })), 'invalid_claim', JSON.stringify(iss));
  }
  const others = [
    `${issuer}/`,
    issuer.slice(0, -1),
    `${issuer}.evil.test`,
    issuer.toUpperCase(),
    issuer.replace('https', 'http'),
  ];
  for (const iss of [...others, 'https://id.example.test.evil.test/auth', 'https://evil.test/auth']) {
    assert.equal(verdict(tokenWith({ iss })), 'wrong_issuer', iss);
  }
});

test('a key of one issuer does not sign for another, although both call it the same', () => {
  const theirs = importPrivateKey(exportPrivateKey(generateKeyPair('ES256').signingKey), 'ES256', 'key-1');
  const ours = importPrivateKey(exportPrivateKey(keyFor('ES256')), 'ES256', 'key-1');
  assert.ok(!createPrivateKey(theirs.key.export({ format: 'pem', type: 'pkcs8' })).equals(ours.key));
  assert.equal(verdict(tokenWith({}, theirs), { keys: publicKeys(ours) }), 'invalid_signature');
  assert.equal(verdict(tokenWith({}, ours), { keys: publicKeys(ours) }), 'accepted');
  const asThem = { keys: publicKeys(theirs), expect: { issuer: 'https://their.test' } };
  assert.equal(verdict(tokenWith({}, theirs), asThem), 'wrong_issuer');
  assert.equal(verdict(tokenWith({ iss: 'https://their.test' }, theirs), asThem), 'accepted');
});

test('a verifier without an issuer is a mistake', () => {
  for (const none of ['', undefined, null, [issuer]]) {
    assert.throws(
      () => verifyAccessToken(tokenWith(), keySet(), { ...expectation, issuer: none as never }),
      TypeError,
    );
  }
});
