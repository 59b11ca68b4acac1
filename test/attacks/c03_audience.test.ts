// C03: a token for somebody else (RFC 9068 §4, RFC 8725 §3.9). The audience is compared whole and letter by letter.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keySet, verifyAccessToken } from '@latchkey/core';
import {
  audience,
  claimsWithout,
  expectation,
  headerOf,
  keyFor,
  seal,
  tokenWith,
  verdict,
} from '../support/access_tokens.ts';

test('aud must be ours', () => {
  assert.equal(verdict(seal(headerOf(keyFor('ES256')), claimsWithout('aud'))), 'missing_claim');
  for (const aud of [
    [],
    [[audience]],
    {},
    { length: 1, 0: audience },
    0,
    1,
    null,
    true,
    '',
    [''],
    [audience, 1],
    [null],
  ]) {
    assert.equal(verdict(tokenWith({ aud })), 'invalid_claim', JSON.stringify(aud));
  }
  const others = [
    ...[
      'https://other.test',
      audience.toUpperCase(),
      `${audience}/`,
      ` ${audience}`,
      `x,${audience}`,
      `${audience} x`,
      'https:',
    ],
    ...[`${audience}.evil.test`, audience.slice(0, -1), '*', audience.replace('a', 'а')],
  ];
  for (const aud of [...others, others]) {
    assert.equal(verdict(tokenWith({ aud })), 'wrong_audience', JSON.stringify(aud));
  }
});

test('one of several is enough, unless the verifier wants to be the only one', () => {
  const both = tokenWith({ aud: ['https://other.test', audience] });
  assert.equal(verdict(both), 'accepted');
  assert.equal(verdict(both, { expect: { singleAudience: true } }), 'wrong_audience');
  assert.equal(verdict(tokenWith({ aud: [audience] }), { expect: { singleAudience: true } }), 'accepted');
  assert.equal(verdict(tokenWith(), { expect: { audience: ['https://a.test', audience] } }), 'accepted');
  assert.equal(verdict(tokenWith(), { expect: { audience: ['https://a.test'] } }), 'wrong_audience');
});

test('a verifier without an audience is a mistake, not a verifier that takes all', () => {
  for (const none of ['', [], [''], undefined, null, 0]) {
    assert.throws(
      () => verifyAccessToken(tokenWith(), keySet(), { ...expectation, audience: none as never }),
      TypeError,
    );
  }
});
