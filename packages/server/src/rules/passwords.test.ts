import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxPasswordLength, needsCommonList, normalisePassword, passwordFault } from './passwords.ts';

const policy = {
  minLength: 15,
  common: new Set(['password', 'letmein', 'qwertyuiop']),
  context: ['latchkey', 'ada'],
};
const fault = (password: string) => passwordFault(password, policy);

test('length is counted in characters, not in UTF-16 units or bytes', () => {
  assert.match(fault('🔑'.repeat(14)) ?? '', /at least 15/);
  assert.match(fault('short but fine') ?? '', /at least 15/);
  assert.equal(fault('🔑🚪🏠🌳🌊🌙⭐🔥🍎🍋🍇🍒🥝🥑🌶'), undefined);
  const long = 'several different words '.repeat(100);
  assert.equal(fault(long.slice(0, maxPasswordLength)), undefined);
  assert.match(fault(long.slice(0, maxPasswordLength + 1)) ?? '', /at most 1024/);
});

test('no composition rules: spaces, only letters and other scripts are fine', () => {
  for (const password of [
    'a quiet brook over stones',
    'тихий ручей над камнями',
    '静かな小川が石の上を流れる音がする',
  ])
    assert.equal(fault(password), undefined);
});

test('common passwords stay common in capitals, with digits around them, and repeated', () => {
  for (const password of [
    'PasswordPassword',
    '12345password12345',
    'letmeinletmeinletmein',
    'qwertyuiop!!!!!!!!!',
  ])
    assert.match(fault(password) ?? '', /most used/, password);
});

test('patterns are refused: one character, few of them, the alphabet and its reverse', () => {
  for (const password of [
    'aaaaaaaaaaaaaaaa',
    'abababababababab',
    'abcdefghijklmnop',
    'ponmlkjihgfedcba',
    '🔑'.repeat(20),
  ])
    assert.match(fault(password) ?? '', /pattern|most used/, password);
});

test('the name of the person and of the service are not a password', () => {
  for (const password of ['latchkeylatchkey', 'Ada-latchkey-ada', 'adaadaadaadaada1'])
    assert.notEqual(fault(password), undefined, password);
  assert.equal(fault('ada likes quiet brooks'), undefined);
});

test('the same keys give the same password: NFC, NFD and full width are one', () => {
  assert.equal(normalisePassword('Gr\u00fc\u00dfe'), normalisePassword('Gru\u0308\u00dfe'));
  assert.equal(normalisePassword('ａｂｃ'), 'abc');
  assert.notEqual(normalisePassword(' a'), normalisePassword('a'));
  assert.notEqual(normalisePassword('A'), normalisePassword('a'));
});

test('a password that is too long is not searched: compatibility forms can make it long enough to take seconds', () => {
  assert.equal(needsCommonList('password'.repeat(128), 20), true);
  assert.equal(needsCommonList('password'.repeat(129), 20), false);
});
