// T16: what can be learnt from a refusal besides "no". Times are measured by `npm run prove`; here: all refusals of forged tokens
// are the same bytes to the client, and a MAC is refused alike wherever it differs.
import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { hmacKey, keySet, refusalOf, signAccessToken, TokenError, verifyAccessToken } from '@latchkey/core';
import {
  claimsWith,
  expectation,
  headerOf,
  keyFor,
  publicKeys,
  seal,
  tokenWith,
} from '../support/access_tokens.ts';

function refused(token: string, keys = publicKeys(keyFor('ES256'))): TokenError {
  try {
    verifyAccessToken(token, keys, expectation);
  } catch (error) {
    if (error instanceof TokenError) return error;
  }
  throw new Error('not refused');
}

test('unknown key, bad signature, wrong type, issuer and audience look the same from outside', () => {
  const key = keyFor('ES256');
  const good = tokenWith();
  const forged = [
    seal({ ...headerOf(key), kid: 'nobody' }, claimsWith()),
    good.slice(0, good.lastIndexOf('.') + 1) + tokenWith({ jti: 'x' }).split('.')[2],
    seal({ ...headerOf(key), typ: 'JWT' }, claimsWith()),
    seal({ ...headerOf(key), alg: 'RS256' }, claimsWith()),
    tokenWith({ iss: 'https://other.test' }),
    tokenWith({ aud: 'https://other.test' }),
  ].map((token) => refused(token));
  assert.equal(new Set(forged.map(({ code }) => code)).size, 6, 'for our own logs they differ');
  for (const error of forged) assert.deepEqual(refusalOf(error), refusalOf(forged[0]));
});

test('an expired token with a bad signature is not called expired', () => {
  const [header, payload] = tokenWith({ exp: 2000, iat: 1900 }).split('.');
  const error = refused(`${header}.${payload}.${tokenWith().split('.')[2]}`);
  assert.equal(error.reason, 'invalid');
});

test('a MAC is refused alike wherever it differs', () => {
  const key = hmacKey(createSecretKey(Buffer.alloc(32, 3)), 'mac');
  const keys = keySet(key);
  const [header, payload, mac] = signAccessToken(claimsWith(), key).split('.') as [string, string, string];
  const bytes = Buffer.from(mac, 'base64url');
  const errors = [...bytes.keys()].map((at) => {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    return refused(`${header}.${payload}.${changed.toString('base64url')}`, keys);
  });
  for (const error of errors)
    assert.equal(`${error.code} ${error.message}`, `${errors[0]?.code} ${errors[0]?.message}`);
  assert.equal(errors[0]?.code, 'invalid_signature');
});
