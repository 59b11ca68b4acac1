// T05: another algorithm of the same family with the same key (RFC 8725 §3.1). A key has exactly one algorithm, and the header
// must say it byte for byte, also where the signature would be good under the other name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Algorithm, exportPublicJwk, parseJwkSet } from '@latchkey/core';
import {
  claimsWith,
  headerOf,
  jwsVerdict,
  keyFor,
  publicKeys,
  rawSignature,
  seal,
  segment,
  verdict,
} from '../support/access_tokens.ts';

const swaps: readonly (readonly [Algorithm, readonly string[]])[] = [
  ['RS256', ['RS384', 'RS512', 'PS256', 'rs256', 'RS256 ']],
  ['PS256', ['RS256', 'PS384', 'PS512']],
  ['ES256', ['ES384', 'ES512', 'ES256K', 'es256', 'ES256\0', '\uff25S256']],
  ['ES384', ['ES256', 'ES512']],
  ['Ed25519', ['EdDSA', 'Ed448', 'ed25519']],
  ['EdDSA', ['Ed25519', 'EDDSA']],
];

test('the header must name the algorithm of the key', () => {
  for (const [own, others] of swaps) {
    const key = keyFor(own);
    for (const alg of others) {
      const token = seal({ ...headerOf(key), alg }, claimsWith(), key);
      assert.equal(verdict(token, { keys: publicKeys(key) }), 'unsupported_algorithm', `${own} as ${alg}`);
      assert.equal(jwsVerdict(token, publicKeys(key), [own]), 'unsupported_algorithm', `${own} as ${alg}`);
    }
  }
});

test('a signature that is good under the other algorithm does not help', () => {
  const key = keyFor('RS256');
  const input = `${segment({ ...headerOf(key), alg: 'PS256' })}.${segment(claimsWith())}`;
  const token = `${input}.${rawSignature(input, 'PS256', key.key).toString('base64url')}`;
  assert.equal(verdict(token, { keys: publicKeys(key) }), 'unsupported_algorithm');
  assert.equal(jwsVerdict(token, publicKeys(key), ['RS256', 'PS256']), 'unsupported_algorithm');
});

test('a published key whose alg and type contradict each other is refused', () => {
  for (const [own, alg] of [
    ['ES256', 'ES384'],
    ['ES256', 'RS256'],
    ['RS256', 'ES256'],
    ['EdDSA', 'ES256'],
  ] as const) {
    assert.throws(() => parseJwkSet({ keys: [{ ...exportPublicJwk(keyFor(own)), alg }] }), {
      code: 'invalid_key',
    });
  }
});

test('an RSA key without alg belongs to nobody while two algorithms would fit', () => {
  const { alg: _, ...jwk } = exportPublicJwk(keyFor('RS256'));
  assert.equal(parseJwkSet({ keys: [jwk] }).size, 0);
  assert.equal(parseJwkSet({ keys: [jwk] }, { algorithms: ['RS256', 'PS256'] }).size, 0);
  assert.equal(parseJwkSet({ keys: [jwk] }, { algorithms: ['RS256', 'ES256'] }).size, 1);
});
