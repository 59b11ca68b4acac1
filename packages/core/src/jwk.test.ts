import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { type Algorithm, supportedAlgorithms } from './jwa.ts';
import {
  exportPrivateKey,
  exportPublicJwk,
  generateKeyPair,
  importPrivateKey,
  JwkError,
  parseJwkSet,
  thumbprint,
  verificationKeyOf,
} from './jwk.ts';
import { signJws, verifyJws } from './jws.ts';

const { signingKey, publicJwk } = generateKeyPair('ES256');

function refusal(keys: unknown): string {
  try {
    parseJwkSet({ keys });
    return 'taken';
  } catch (error) {
    if (error instanceof JwkError && error instanceof TypeError) return error.code;
    throw error;
  }
}

function rsaJwk(modulusLength: number, publicExponent = 65_537): object {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent });
  return { ...publicKey.export({ format: 'jwk' }), alg: 'RS256' };
}

test('a set is refused as a whole', () => {
  const ed = generateKeyPair('EdDSA').publicJwk;
  const x = Buffer.alloc(32, 7).toString('base64url');
  const cases: readonly (readonly [string, unknown])[] = [
    ['invalid_set', 'keys'],
    ['invalid_set', [null]],
    ['invalid_set', ['key']],
    ['invalid_set', [[publicJwk]]],
    ['too_many_keys', Array.from({ length: 101 }, (_, index) => ({ ...publicJwk, kid: `k${index}` }))],
    ['private_key', [{ ...publicJwk, d: 'AAAA' }]],
    ['private_key', [publicJwk, signingKey.key.export({ format: 'jwk' })]],
    ['private_key', [publicJwk, { kty: 'something-new', priv: 'AAAA' }]],
    ['private_key', [{ ...publicJwk, use: 'enc', d: '' }]],
    ['symmetric_key', [publicJwk, { kty: 'oct', k: 'AAAA' }]],
    ['symmetric_key', [{ kty: 'oct' }]],
    ['duplicate_kid', [publicJwk, publicJwk]],
    ['duplicate_kid', [publicJwk, { ...ed, kid: publicJwk.kid }]],
    ['duplicate_kid', [publicJwk, { kty: 'EC', kid: publicJwk.kid, use: 'enc' }]],
    ['duplicate_kid', [publicJwk, { ...publicJwk, kid: undefined }]],
    ['invalid_key', [{ ...publicJwk, kid: '' }]],
    ['invalid_key', [{ ...publicJwk, kid: 7 }]],
    ['invalid_key', [{ ...publicJwk, kid: 'x'.repeat(257) }]],
    ['invalid_key', [{ ...publicJwk, y: publicJwk.x }]],
    ['invalid_key', [{ ...publicJwk, x, y: x }]],
    ['invalid_key', [{ ...publicJwk, x: `${publicJwk.x}=` }]],
    ['invalid_key', [{ ...publicJwk, x: undefined }]],
    ['invalid_key', [{ ...publicJwk, x: `AAAA${publicJwk.x}` }]],
    ['invalid_key', [{ ...publicJwk, alg: 'ES384' }]],
    ['invalid_key', [{ ...publicJwk, crv: 'P-384' }]],
    ['invalid_key', [{ ...ed, x: 'AAAA' }]],
    ['weak_key', [rsaJwk(1024)]],
    ['weak_key', [rsaJwk(2048, 3)]],
  ];
  for (const [code, keys] of cases) assert.equal(refusal(keys), code, JSON.stringify(keys)?.slice(0, 120));
  for (const value of [null, undefined, 1, 'x', [], { key: [] }, { keys: {} }, { keys: null }]) {
    assert.throws(() => parseJwkSet(value), { code: 'invalid_set' });
  }
});

test('keys that are not for us are left out', () => {
  const { alg: _, ...withoutAlg } = publicJwk;
  const others = [
    { ...publicJwk, kid: 'a', use: 'enc' },
    { ...publicJwk, kid: 'b', key_ops: ['deriveKey'] },
    { ...publicJwk, kid: 'c', alg: 'ECDH-ES' },
    { kty: 'EC', crv: 'P-521', kid: 'd', alg: 'ES512' },
    { kty: 'something-new', kid: 'e', alg: 'XX256' },
    { ...withoutAlg, kid: 'f' },
  ];
  assert.deepEqual([...parseJwkSet({ keys: [...others, publicJwk] }).keys()], [publicJwk.kid]);
  assert.equal(parseJwkSet({ keys: [] }).size, 0);
  assert.equal(parseJwkSet({ keys: [publicJwk] }, { algorithms: ['RS256'] }).size, 0);
  assert.equal(
    parseJwkSet({ keys: [{ ...withoutAlg, key_ops: ['verify'] }] }, { algorithms: ['ES256', 'EdDSA'] }).size,
    1,
  );
});

test('a key without kid is filed under its thumbprint', () => {
  const { kid: _, ...jwk } = publicJwk;
  assert.deepEqual([...parseJwkSet({ keys: [jwk] }).keys()], [thumbprint(publicJwk)]);
});

test('every algorithm: generate, export, import, sign, verify', () => {
  for (const alg of supportedAlgorithms()) {
    if (alg === 'HS256') continue;
    const pair = generateKeyPair(alg);
    assert.deepEqual(pair.publicJwk.alg, alg);
    const again = importPrivateKey(exportPrivateKey(pair.signingKey), alg);
    assert.equal(again.kid, pair.signingKey.kid);
    const { payload } = verifyJws(
      signJws({}, 'text', again),
      { keys: [pair.publicJwk] },
      { algorithms: [alg] },
    );
    assert.equal(Buffer.from(payload).toString(), 'text');
    assert.deepEqual(exportPublicJwk(verificationKeyOf(again)), pair.publicJwk);
    assert.ok(
      !JSON.stringify(pair.publicJwk).includes('"d"') && !JSON.stringify(pair.publicJwk).includes('"priv"'),
    );
  }
});

test('RSA keys are made with 3072 bits', () => {
  assert.equal(generateKeyPair('RS256').signingKey.key.asymmetricKeyDetails?.modulusLength, 3072);
});

test('a key is not imported for an algorithm it does not fit', () => {
  const pkcs8 = exportPrivateKey(signingKey);
  for (const alg of ['ES384', 'RS256', 'EdDSA', 'HS256', 'none'] as Algorithm[]) {
    assert.throws(() => importPrivateKey(pkcs8, alg, 'k'), TypeError, alg);
  }
  const spki = createPublicKey(signingKey.key).export({ format: 'der', type: 'spki' });
  assert.throws(() => importPrivateKey(spki, 'ES256'), TypeError);
  assert.throws(
    () => importPrivateKey(Buffer.from('no key'), 'ES256'),
    (error: Error) => !error.message.includes('no key'),
  );
  assert.throws(() => generateKeyPair('HS256'), TypeError);
  assert.throws(() => generateKeyPair('none' as Algorithm), TypeError);
});
