// T02: a public key used as an HMAC secret (RFC 8725 §3.1, CVE-2023-48223, CVE-2026-34950): the attacker knows every form it is
// published in, and signs with HS256.
import assert from 'node:assert/strict';
import { createHmac, createPublicKey, createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { type Algorithm, exportPublicJwk, hmacKey, parseJwkSet, verifyJws } from '@latchkey/core';
import { claimsWith, jwsVerdict, keyFor, publicKeys, segment, verdict } from '../support/access_tokens.ts';

const families: readonly Algorithm[] = ['ES256', 'EdDSA', 'RS256'];

function publishedForms(alg: Algorithm): (string | Buffer)[] {
  const key = createPublicKey(keyFor(alg).key);
  const pem = key.export({ format: 'pem', type: 'spki' }) as string;
  const jwk = exportPublicJwk(keyFor(alg));
  return [
    pem,
    pem.trim(),
    ` ${pem}`,
    `\ufeff${pem}`,
    `# the key of the issuer\n${pem}`,
    key.export({ format: 'der', type: 'spki' }),
    JSON.stringify(jwk),
    JSON.stringify({ keys: [jwk] }),
  ];
}

test('a token that is MACed with a published key is refused', () => {
  for (const alg of families) {
    const key = keyFor(alg);
    for (const form of publishedForms(alg)) {
      for (const bits of [256, 384, 512]) {
        const input = `${segment({ alg: `HS${bits}`, kid: key.kid, typ: 'at+jwt' })}.${segment(claimsWith())}`;
        const token = `${input}.${createHmac(`sha${bits}`, form).update(input).digest('base64url')}`;
        assert.equal(verdict(token, { keys: publicKeys(key) }), 'unsupported_algorithm');
        assert.equal(jwsVerdict(token, publicKeys(key), [alg, 'HS256']), 'unsupported_algorithm');
      }
    }
  }
});

test('no text, bytes, public key or published set becomes an HMAC key', () => {
  const publicKey = createPublicKey(keyFor('RS256').key);
  const pem = publicKey.export({ format: 'pem', type: 'spki' }) as string;
  for (const input of [
    pem,
    Buffer.from(pem),
    publicKey,
    exportPublicJwk(keyFor('RS256')),
    { kty: 'oct', k: pem },
  ]) {
    assert.throws(() => hmacKey(input as never, 'k'), TypeError);
  }
  const oct = { kty: 'oct', alg: 'HS256', kid: 'k', k: Buffer.alloc(32, 7).toString('base64url') };
  assert.throws(() => parseJwkSet({ keys: [oct] }), { code: 'symmetric_key' });
  assert.throws(() => parseJwkSet({ keys: [exportPublicJwk(keyFor('ES256')), oct] }), {
    code: 'symmetric_key',
  });
});

test('a record that was not made by us is not taken for a key', () => {
  const secret = createSecretKey(Buffer.alloc(32, 7));
  const record = { kid: 'k', alg: 'HS256', key: secret } as const;
  const input = `${segment({ alg: 'HS256', kid: 'k' })}.${segment('{}')}`;
  const token = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  assert.throws(() => verifyJws(token, new Map([['k', record]]), { algorithms: ['HS256'] }), TypeError);
  const proper = hmacKey(secret, 'k');
  assert.equal(jwsVerdict(token, new Map([['k', proper]]), ['HS256']), 'accepted');
});
