// C08: roles and permissions of odd shape (ASVS 8.3.1): a string where a list is due, look-alikes, thousands, names that every object
// inherits. What is not exactly a role of ours refuses the token or grants nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasPermission, hasRole } from '@latchkey/core';
import { claimsWith, tokenWith, verdict } from '../support/access_tokens.ts';

test('roles must be a short list of distinct proper names', () => {
  const many = Array.from({ length: 257 }, (_, index) => `r${index}`);
  const bad = [
    'doctor',
    'doctor admin',
    { 0: 'doctor', length: 1 },
    [['doctor']],
    [1],
    [null],
    [''],
    many,
    ['doctor', 'doctor'],
    null,
    0,
  ];
  const names = [
    'Doctor',
    'ADMIN',
    'dосtor',
    'doctor ',
    'a,b',
    'a b',
    '__proto__',
    '.x',
    'x'.repeat(65),
    'admin\0',
    'ﬁ',
  ];
  for (const roles of [...bad, ...names.map((name) => [name])]) {
    assert.equal(verdict(tokenWith({ roles })), 'invalid_claim', JSON.stringify(roles).slice(0, 60));
  }
  for (const roles of [[], ['constructor'], ['doctor', 'nurse'], many.slice(0, 256)]) {
    assert.equal(verdict(tokenWith({ roles })), 'accepted');
  }
});

test('scope must be a text of permissions with single spaces', () => {
  for (const scope of [
    ['records:read'],
    {},
    0,
    null,
    ' ',
    ' a',
    'a ',
    'a  b',
    'a\tb',
    'a\nb',
    'a"b',
    'a\\b',
    'récords:read',
    'a\u00a0b',
  ]) {
    assert.equal(verdict(tokenWith({ scope })), 'invalid_claim', JSON.stringify(scope));
  }
  for (const scope of ['', 'records:read', 'a b c'])
    assert.equal(verdict(tokenWith({ scope })), 'accepted', scope);
});

test('versions must be whole numbers', () => {
  for (const name of ['ver', 'rver']) {
    for (const value of ['1', -1, 1.5, null, [], true]) {
      assert.equal(
        verdict(tokenWith({ [name]: value })),
        'invalid_claim',
        `${name} ${JSON.stringify(value)}`,
      );
    }
  }
});

test('a name grants itself and nothing else', () => {
  const claims = claimsWith({ roles: ['doctor'], scope: 'records:read records:write-own xrecords:delete' });
  assert.equal(hasPermission(claims, 'records:read'), true);
  assert.equal(hasPermission(claims, 'records:write-own'), true);
  const others = [
    'records',
    'records:',
    'records:rea',
    'records:write',
    'records:delete',
    'Records:Read',
    '',
    ' ',
    'records:read records:write-own',
  ];
  for (const permission of [...others, '*', 'records:*', 'toString', '__proto__']) {
    assert.equal(hasPermission(claims, permission), false, permission);
  }
  assert.equal(hasRole(claims, 'doctor'), true);
  for (const role of ['Doctor', 'doc', 'doctors', '', 'length', 'constructor', '__proto__', '0']) {
    assert.equal(hasRole(claims, role), false, role);
  }
  assert.equal(hasPermission(claimsWith({ scope: '' }), 'records:read'), false);
});
