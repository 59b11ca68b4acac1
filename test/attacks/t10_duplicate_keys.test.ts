// T10: one name twice (RFC 7515 §4, RFC 7519 §4): whoever checks reads the first, whoever acts reads the last. Every npm library
// takes the last one silently.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  claimsWith,
  headerOf,
  jwsVerdict,
  keyFor,
  seal,
  seconds,
  verdict,
} from '../support/access_tokens.ts';

const key = keyFor('ES256');
const header = JSON.stringify(headerOf(key));
const claims = JSON.stringify(claimsWith());
const before = (text: string, member: string) => `{${member},${text.slice(1)}`;
const after = (text: string, member: string) => `${text.slice(0, -1)},${member}}`;

test('a duplicate in the header is refused, whatever its order', () => {
  for (const member of [
    '"alg":"none"',
    '"alg":"ES256"',
    '"typ":"rt+jwt"',
    `"kid":"${key.kid}"`,
    '"\\u0061lg":"none"',
  ]) {
    for (const text of [before(header, member), after(header, member)]) {
      assert.equal(verdict(seal(text, claims)), 'malformed', text);
      assert.equal(jwsVerdict(seal(text, claims)), 'malformed', text);
    }
  }
});

test('a duplicate in the claims is refused, at every depth', () => {
  const members = [
    `"exp":${seconds + 60}`,
    `"exp":${seconds - 60}`,
    `"exp":1e3`,
    '"sub":"admin"',
    '"s\\u0075b":"admin"',
    '"roles":["admin"]',
    '"tenant":{"id":1,"id":2}',
    '"tenant":[{"id":"a","name":"b","id":"a"}]',
    '"a":{"b":{"c":{"d":null,"d":null}}}',
    '"":1,"":1',
    '"x":"\\"","x":"\\\\"',
    // Numbers written shorter than their digits must not make room for a duplicate.
    '"n":1e9,"m":1,"m":1',
    '"n":1e99999,"m":1',
  ];
  for (const member of members) {
    for (const text of [before(claims, member), after(claims, member)]) {
      assert.equal(verdict(seal(header, text)), 'malformed', text);
    }
  }
});

test('what only looks like a duplicate is accepted', () => {
  for (const member of [
    '"tenant":"exp","dept":"exp"',
    '"x":{"sub":1}',
    '"Sub":"admin"',
    '"q":"\\"sub\\":1"',
    '"x":"\\\\","y":"a"',
  ]) {
    assert.equal(verdict(seal(header, after(claims, member))), 'accepted', member);
  }
  assert.equal(
    verdict(seal(`\t${header}\r\n`, ` ${claims.replaceAll(',', ' , ')} `)),
    'accepted',
    'white space',
  );
});
