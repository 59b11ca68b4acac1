// T01: an unsigned token, in every spelling of "none" that some library has fallen for (RFC 8725 §3.1, CVE-2015-9235).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportPublicJwk, parseJwkSet, type VerificationKey, verifyAccessToken } from '@latchkey/core';
import {
  claimsWith,
  expectation,
  headerOf,
  judge,
  jwsVerdict,
  keyFor,
  segment,
  tokenWith,
  verdict,
} from '../support/access_tokens.ts';

const spellings = ['none', 'None', 'NONE', 'nOnE', ' none', 'none ', '', 'null'];
const notStrings = [null, [], ['ES256'], {}, 0, 1, true, false, undefined];
const oldSignature = tokenWith().split('.')[2];

function tokensWith(alg: unknown): string[] {
  const header = segment(
    alg === undefined ? '{"kid":"a","typ":"at+jwt"}' : { ...headerOf(keyFor('ES256')), alg },
  );
  const input = `${header}.${segment(claimsWith({ roles: ['admin'] }))}`;
  return [`${input}.`, `${input}.${oldSignature}`, input];
}

test('a token that says it is unsigned is refused', () => {
  for (const alg of [...spellings, ...notStrings]) {
    const [empty, old, missing] = tokensWith(alg);
    assert.equal(verdict(empty), 'unsupported_algorithm', `${JSON.stringify(alg)} with an empty signature`);
    assert.equal(verdict(old), 'unsupported_algorithm', `${JSON.stringify(alg)} with an old signature`);
    assert.equal(verdict(missing), 'malformed', `${JSON.stringify(alg)} with two segments`);
    assert.equal(jwsVerdict(empty), 'unsupported_algorithm');
  }
});

test('no key is even looked up for it', () => {
  const lookedUp: string[] = [];
  const keys = new (class extends Map<string, VerificationKey> {
    override get(kid: string): VerificationKey | undefined {
      lookedUp.push(kid);
      return super.get(kid);
    }
  })(parseJwkSet({ keys: [exportPublicJwk(keyFor('ES256'))] }));
  for (const alg of spellings) judge(() => verifyAccessToken(tokensWith(alg)[0], keys, expectation));
  assert.deepEqual(lookedUp, []);
  judge(() => verifyAccessToken(tokenWith(), keys, expectation));
  assert.equal(lookedUp.length, 1, 'the look-up is seen where there is one');
});
