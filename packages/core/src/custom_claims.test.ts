import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCustomClaims } from './custom_claims.ts';

test('what an application may add', () => {
  const good = [
    {},
    { tenant: 'acme', department: 'surgery', doctor_id: 17 },
    { 'https://example.com/tenant': { id: 'a', tags: ['x', null, true, 1.5] } },
    { shipping: 1, spinner: 1, compass: 1, hashtag: 'x', tokens_left: 3 },
  ];
  for (const claims of good) assert.deepEqual(checkCustomClaims(claims), [], JSON.stringify(claims));
});

test('registered names are ours', () => {
  for (const name of [
    'iss',
    'sub',
    'aud',
    'exp',
    'nbf',
    'iat',
    'jti',
    'sid',
    'scope',
    'roles',
    'ver',
    'rver',
    'client_id',
    'cnf',
    'act',
    'kid',
  ]) {
    assert.equal(checkCustomClaims({ [name]: 1 }).length, 1, name);
  }
});

test('sensitive names are refused in any spelling and at any depth', () => {
  const names = [
    'password',
    'Password',
    'user_password',
    'passWord2',
    'ssn',
    'SSN',
    'client-secret',
    'apiKey',
    'api.key',
    'e-mail',
    'email',
    'dob',
    'PIN',
  ];
  for (const name of names) {
    assert.equal(checkCustomClaims({ [name]: 'x' }).length, 1, name);
    assert.equal(checkCustomClaims({ a: [{ b: { [name]: 'x' } }] }).length, 1, name);
  }
});

test('only what JSON carries unchanged, and little of it', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic['a'] = cyclic;
  const bad = [
    ...[
      { a: undefined },
      { a: 1n },
      { a: () => 1 },
      { a: Symbol('x') },
      { a: Number.NaN },
      { a: Number.POSITIVE_INFINITY },
      { a: 2 ** 53 },
    ],
    ...[
      { a: new Date(0) },
      { a: '\ud800' },
      { ['__proto__']: 1 },
      { '': 1 },
      { 'a b': 1 },
      { '1a': 1 },
      { é: 1 },
      { ['x'.repeat(129)]: 1 },
    ],
    cyclic,
  ];
  for (const claims of bad) assert.ok(checkCustomClaims(claims).length > 0);
  for (const claims of [null, undefined, [], 'x', 1]) assert.ok(checkCustomClaims(claims).length > 0);
  assert.deepEqual(checkCustomClaims({ a: 'x'.repeat(2040) }), []);
  assert.equal(checkCustomClaims({ a: 'x'.repeat(2041) }).length, 1);
  assert.equal(checkCustomClaims({ a: 'é'.repeat(1021) }).length, 1, 'bytes, not characters');
});

test('all faults at once, and no value in them', () => {
  const faults = checkCustomClaims({ sub: 'x', password: 'hunter2', 'a b': 'hunter2' });
  assert.equal(faults.length, 3);
  assert.ok(!faults.join().includes('hunter2'));
});
