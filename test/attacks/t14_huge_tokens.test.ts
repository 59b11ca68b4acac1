// T14: tokens made to be expensive. The length is looked at first, so nothing is decoded, hashed or looked up for them. What it costs
// under load is measured by `npm run prove`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signJwt } from '@latchkey/core';
import {
  claimsWith,
  headerOf,
  jwsVerdict,
  keyFor,
  seal,
  tokenWith,
  verdict,
} from '../support/access_tokens.ts';

test('a token of more than 8 KiB is refused although its signature is good', () => {
  const padding = (length: number) =>
    seal(headerOf(keyFor('ES256')), claimsWith({ padding: 'x'.repeat(length) }));
  const least = padding(0).length;
  const fits = padding(Math.floor(((8192 - least) * 3) / 4) - 2);
  assert.ok(fits.length > 8180 && fits.length <= 8192);
  assert.equal(verdict(fits), 'accepted');
  assert.equal(verdict(padding(6000)), 'malformed');
  assert.equal(jwsVerdict(padding(6000)), 'malformed');
  assert.equal(verdict(padding(1 << 20)), 'malformed');
});

test('floods of dots and garbage are refused by form', () => {
  const garbage = [
    '.'.repeat(100_000),
    '.'.repeat(8192),
    '.',
    '..',
    '...',
    'a'.repeat(8192),
    'a.'.repeat(4000),
    'a.b.c',
    '\0.\0.\0',
    '',
  ];
  for (const token of garbage) {
    assert.equal(verdict(token), 'malformed', `${token.slice(0, 5)} × ${token.length}`);
    assert.equal(jwsVerdict(token), 'malformed');
  }
  assert.equal(verdict(tokenWith()), 'accepted');
});

test('we do not make a token that nobody would take', () => {
  const claims = claimsWith({ padding: 'x'.repeat(7000) });
  assert.throws(() => signJwt(claims, keyFor('ES256')), TypeError);
});
