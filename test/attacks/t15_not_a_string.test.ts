// T15: input that is no string, or claims of odd types, must end in a typed refusal, never in a TypeError that becomes a 500
// (jsonwebtoken throws one for a 67-byte signature, fast-jwt a RangeError for an expiry of -1e400).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAccessTokenHeader, TokenError, verifyJwt } from '@latchkey/core';
import {
  audience,
  expectation,
  issuer,
  judge,
  jwsVerdict,
  keyFor,
  now,
  publicKeys,
  tokenWith,
  verdict,
} from '../support/access_tokens.ts';

const token = tokenWith();
const inputs: readonly unknown[] = [
  ...[
    undefined,
    null,
    0,
    1,
    Number.NaN,
    true,
    10n,
    Symbol('token'),
    () => token,
    {},
    [],
    [token],
    [token, token],
  ],
  ...[
    Buffer.from(token),
    new Uint8Array(8),
    new String(token),
    { toString: () => token },
    { token },
    new Date(0),
    /x/,
  ],
];

test('anything but a string is refused as malformed', () => {
  for (const input of inputs) {
    assert.equal(verdict(input), 'malformed');
    assert.equal(jwsVerdict(input), 'malformed');
    assert.equal(
      judge(() => readAccessTokenHeader(input)),
      'malformed',
    );
    const options = { issuer, audience, now, algorithms: ['ES256'] } as const;
    assert.equal(
      judge(() => verifyJwt(input, publicKeys(keyFor('ES256')), options)),
      'malformed',
    );
  }
});

test('a refusal holds nothing of the token', () => {
  const secret = 'c2VjcmV0LXZhbHVlLXRoYXQtbXVzdC1ub3QtbGVhaw';
  for (const bad of [
    secret,
    `${secret}.${secret}.${secret}`,
    token.replace(/.$/, '!'),
    `${token}${secret}`,
  ]) {
    try {
      assert.fail(verdict(bad) === 'accepted' ? 'accepted' : 'unreachable');
    } catch {
      const error = capture(bad);
      const text = `${error.stack} ${JSON.stringify(error)} ${Object.values(error).join(' ')}`;
      for (const part of [secret, ...token.split('.')]) assert.ok(!text.includes(part));
    }
  }
});

function capture(bad: string): TokenError {
  try {
    verifyJwt(bad, publicKeys(keyFor('ES256')), { ...expectation, algorithms: ['ES256'] });
  } catch (error) {
    if (error instanceof TokenError) return error;
  }
  throw new Error('not refused');
}
