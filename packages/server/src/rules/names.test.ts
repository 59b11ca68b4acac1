import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldEmail, foldLogin, foldName } from './names.ts';

test('spellings of one name fold to one', () => {
  for (const name of ['ada.lovelace', 'Ada.Lovelace', 'ADA.LOVELACE'])
    assert.equal(foldName(name), 'ada.lovelace');
});

test('what has no canonical form is no name', () => {
  const refused = [
    '',
    '.ada',
    '-ada',
    'a da',
    'ada\n',
    'ada\0',
    'а',
    'ada@b',
    'ｅ',
    'a'.repeat(65),
    'İ',
    'ada\u200b',
  ];
  for (const name of refused) assert.equal(foldName(name), undefined, JSON.stringify(name));
  assert.equal(foldName('a'.repeat(64))?.length, 64);
});

test('e-mail addresses: full-width letters fold, injection and quotes do not pass', () => {
  assert.equal(foldEmail('Ada@Example.COM'), 'ada@example.com');
  assert.equal(foldEmail('ａｄａ@example.com'), 'ada@example.com');
  const refused = [
    'ada',
    'ada@',
    '@b.c',
    'a@b@c.d',
    'a\r\nBcc: x@y.z',
    '"a b"@c.d',
    'a,b@c.d',
    `${'a'.repeat(250)}@b.c`,
  ];
  for (const email of refused) assert.equal(foldEmail(email), undefined, JSON.stringify(email));
});

test('a login is never refused: what cannot exist is the empty name', () => {
  assert.equal(foldLogin('Ada'), 'ada');
  assert.equal(foldLogin('Ada@Example.com'), 'ada@example.com');
  for (const login of ['\0', 'a@', ' ']) assert.equal(foldLogin(login), '');
});
