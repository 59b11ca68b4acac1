// T07: a `kid` made for the look-up behind it: paths, SQL, shell, prototypes (RFC 8725 §3.10, CVE-2025-65945).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJwkSet } from '@latchkey/core';
import { claimsWith, jwsVerdict, seal, verdict } from '../support/access_tokens.ts';

const hostile = [
  ...[
    '../../dev/null',
    '/etc/passwd',
    "' UNION SELECT 'x",
    '|sleep 10',
    'a.b',
    'a b',
    'a\u0000b',
    '\u0000',
    'a\nb',
    '%2e%2e',
    'ключ',
  ],
  ...['', 'x'.repeat(65), 'x'.repeat(129), 'x'.repeat(4000)],
];
const notStrings = [null, [], ['a'], {}, 0, true];
const inherited = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'get', 'size'];

test('a kid outside the closed alphabet is refused as malformed', () => {
  for (const kid of [...hostile, ...notStrings]) {
    const token = seal({ alg: 'ES256', kid, typ: 'at+jwt' }, claimsWith());
    assert.equal(verdict(token), 'malformed', JSON.stringify(kid));
  }
  assert.equal(verdict(seal({ alg: 'ES256', typ: 'at+jwt' }, claimsWith())), 'malformed', 'no kid');
});

test('a kid that names something every object inherits finds no key', () => {
  for (const kid of inherited) {
    const token = seal({ alg: 'ES256', kid, typ: 'at+jwt' }, claimsWith());
    assert.equal(verdict(token), 'unknown_key', kid);
    assert.equal(jwsVerdict(token), 'unknown_key', kid);
    assert.equal(verdict(token, { keys: parseJwkSet({ keys: [] }) }), 'unknown_key', kid);
  }
});
