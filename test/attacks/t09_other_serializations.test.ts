// T09: things that are not a compact JWS: encrypted tokens with costly key derivation (CVE-2022-36083, CVE-2023-51774) or zip
// bombs (CVE-2024-28176), JSON serialization, tokens within tokens. Refused by form, before anything is derived or inflated.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import {
  claimsWith,
  headerOf,
  jwsVerdict,
  keyFor,
  seal,
  segment,
  tokenWith,
  verdict,
} from '../support/access_tokens.ts';

const [header, payload, signature] = tokenWith().split('.') as [string, string, string];
const flattened = { protected: header, payload, signature };

test('five segments are not a token', () => {
  const costly = segment({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31 - 1, p2s: 'AAAAAAAAAAA' });
  const bomb = deflateRawSync(Buffer.alloc(1 << 20)).toString('base64url');
  const zipped = segment({ alg: 'dir', enc: 'A128GCM', zip: 'DEF' });
  for (const token of [
    `${costly}.AAAA.AAAA.AAAA.AAAA`,
    `${zipped}..AAAA.${bomb}.AAAA`,
    `${zipped}.${bomb}.${signature}`,
  ]) {
    assert.ok(['malformed', 'unsupported_algorithm'].includes(verdict(token)));
    assert.notEqual(jwsVerdict(token), 'accepted');
  }
});

test('JSON serialization is refused, as text and as an object', () => {
  const forms = [
    flattened,
    { payload, signatures: [{ protected: header, signature }] },
    { ...flattened, header: { kid: 'x' } },
    [flattened],
  ];
  for (const form of forms) {
    assert.equal(verdict(form), 'malformed');
    assert.equal(verdict(JSON.stringify(form)), 'malformed');
    assert.equal(verdict(` ${JSON.stringify(form)}`), 'malformed');
  }
});

test('a token within a token is refused', () => {
  const key = keyFor('ES256');
  assert.equal(verdict(seal({ ...headerOf(key), cty: 'JWT' }, claimsWith())), 'malformed');
  assert.equal(verdict(seal(headerOf(key), tokenWith())), 'malformed');
});
