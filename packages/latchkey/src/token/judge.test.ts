import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type AccessTokenClaims,
  exportPrivateKey,
  generateKeyPair,
  importPrivateKey,
  signAccessToken,
} from '@latchkey/core';
import { bareToken, decodeToken } from './decode.ts';
import { distance, explainClaims, explainHeader } from './explain.ts';
import { judgeToken } from './judge.ts';

const { signingKey, publicJwk } = generateKeyPair('ES256');
const jwks = { keys: [publicJwk] };
const issuer = 'https://id.example.com/auth';
const audience = 'https://id.example.com';
const iat = 1_800_000_000;
const now = (iat + 60) * 1000;

const claims: AccessTokenClaims = {
  iss: issuer,
  sub: 'u1',
  aud: audience,
  exp: iat + 300,
  iat,
  jti: 'j1',
  sid: 's1',
  client_id: 'latchkey',
  auth_time: iat,
  preferred_username: 'alice',
  roles: ['doctor'],
  scope: 'records:read',
  ver: 1,
  rver: 1,
};
const token = signAccessToken(claims, signingKey);
const parts = token.split('.');

function judge(given: string, expected: object = {}, keys: unknown = jwks) {
  const decoded = decodeToken(given);
  assert.equal(decoded.kind, 'jwt');
  return judgeToken(given, decoded.kind === 'jwt' ? decoded.claims : {}, keys ?? undefined, {
    issuer,
    audience,
    now,
    ...expected,
  });
}

test('a good token is accepted, and what was not checked is said', () => {
  const judgement = judge(token);
  assert.deepEqual([judgement.signature, judgement.accepted, judgement.problems], ['valid', true, []]);
  assert.match(judgement.unchecked.join(), /revocation/);
});

test('each fault has its own words', () => {
  const changed = `${parts[0]}.${Buffer.from(JSON.stringify({ ...claims, roles: ['admin'] })).toString('base64url')}.${parts[2]}`;
  const impostor = importPrivateKey(
    exportPrivateKey(generateKeyPair('ES256').signingKey),
    'ES256',
    signingKey.kid,
  );
  const foreign = signAccessToken(claims, impostor);
  assert.match(judge(changed).problems.join(), /signature does not fit/);
  assert.equal(judge(changed).signature, 'invalid');
  assert.match(judge(foreign).problems.join(), /signature does not fit/);
  assert.match(judge(token, { now: now + 3_600_000 }).problems.join(), /^expired$/);
  assert.match(judge(token, { now: now - 3_600_000 }).problems.join(), /issued in the future/);
  assert.match(judge(token, { issuer: 'https://other.example' }).problems.join(), /another issuer/);
  assert.match(judge(token, { audience: 'https://other.example' }).problems.join(), /another audience/);
  assert.match(
    judge(token, {}, { keys: [generateKeyPair('ES256').publicJwk] }).problems.join(),
    /no key of this set/,
  );
});

test('without keys a token is never called accepted', () => {
  const judgement = judge(token, {}, null);
  assert.deepEqual([judgement.signature, judgement.accepted], ['unchecked', undefined]);
  assert.equal(judge(token, { now: now + 3_600_000 }, null).accepted, false);
});

test('what nobody would accept is still taken apart', () => {
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${parts[1]}.`;
  const decoded = decodeToken(none);
  assert.equal(decoded.kind, 'jwt');
  assert.match(explainHeader({ alg: 'none' })[0]!.meaning, /NOT SIGNED/);
  assert.equal(judge(none).accepted, false);
  assert.match(explainHeader({ jku: 'https://evil.example' })[0]!.meaning, /never to be followed/);
});

test('what is no token is told apart from what is one', () => {
  for (const [text, why] of [
    ['abc', /has 1$/],
    ['a.b.c.d.e', /JWE/],
    ['!!.e30.x', /first segment/],
    [`${parts[0]}.W10.x`, /second segment/],
    ['lkr_short', /begins like a refresh token/],
  ] as const) {
    const decoded = decodeToken(text);
    assert.match(decoded.kind === 'unreadable' ? decoded.why : 'readable', why);
  }
});

test('a refresh token is known by its layout', () => {
  const bytes = Buffer.concat([
    Buffer.from([1, 3]),
    Buffer.alloc(16, 7),
    Buffer.from([0, 0, 0, 9]),
    Buffer.alloc(32, 1),
  ]);
  assert.deepEqual(decodeToken(`lkr_${bytes.toString('base64url')}`), {
    kind: 'refresh',
    version: 1,
    keyId: 3,
    sessionId: Buffer.alloc(16, 7).toString('base64url'),
    generation: 9,
  });
});

test('what people copy along is taken off', () => {
  for (const text of [` ${token}\n`, `Bearer ${token}`, `authorization: bearer ${token}`, `"${token}"`]) {
    assert.equal(bareToken(text), token);
  }
});

test('claims are explained with times a person can read, and cannot disturb the terminal', () => {
  const explained = explainClaims(
    { ...claims, tenant: 'a\u001b[31m', exp: iat * 1000, __proto__x: 1, constructor: 'c' },
    now,
  );
  const meaningOf = (name: string) => explained.find((each) => each.name === name)!;
  assert.match(meaningOf('iat').meaning, /^issued \d{4}-\d\d-\d\d .* \(60 s ago\)$/);
  assert.match(meaningOf('exp').meaning, /not in seconds/);
  assert.equal(meaningOf('tenant').value, 'a\\u001b[31m');
  assert.equal(meaningOf('constructor').meaning, 'a claim of the application');
  assert.deepEqual(
    [distance(90_000), distance(-7_200_000), distance(864_000_000)],
    ['in 90 s', '2 h ago', 'in 10 days'],
  );
});
