// T08: header parameters that change how the rest is to be read: crit, b64, zip, enc (RFC 7515 §4.1.11, RFC 7797 §6,
// CVE-2026-35042, CVE-2025-59420). Our tokens have none of them, so presence is enough.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signJws } from '@latchkey/core';
import {
  claimsWith,
  headerOf,
  jwsVerdict,
  keyFor,
  rawSignature,
  seal,
  segment,
  verdict,
} from '../support/access_tokens.ts';

const additions: readonly Readonly<Record<string, unknown>>[] = [
  { crit: ['exp'], exp: 1 },
  { crit: ['unknown'], unknown: true },
  { crit: [] },
  { crit: 'b64' },
  { crit: null },
  { crit: ['alg', 'typ'] },
  { crit: ['b64'], b64: true },
  { crit: ['b64'], b64: false },
  { b64: false },
  { b64: true },
  { b64: null },
  { zip: 'DEF' },
  { zip: null },
  { enc: 'A128GCM' },
];

test('a parameter that changes the rules is refused', () => {
  for (const addition of additions) {
    const token = seal({ ...headerOf(keyFor('ES256')), ...addition }, claimsWith());
    assert.equal(verdict(token), 'malformed', JSON.stringify(addition));
    assert.equal(jwsVerdict(token), 'malformed', JSON.stringify(addition));
  }
});

test('a payload that is not encoded (RFC 7797) is refused', () => {
  const key = keyFor('ES256');
  const input = `${segment({ ...headerOf(key), crit: ['b64'], b64: false })}.${JSON.stringify(claimsWith())}`;
  const token = `${input}.${rawSignature(input, 'ES256', key.key).toString('base64url')}`;
  assert.equal(verdict(token), 'malformed');
});

test('we do not make such tokens either', () => {
  for (const addition of additions) {
    if (Object.hasOwn(addition, 'unknown') || Object.hasOwn(addition, 'exp')) continue;
    assert.throws(() => signJws(addition, '{}', keyFor('ES256')), TypeError, JSON.stringify(addition));
  }
});
