import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { createDoorkeeper } from './doorkeeper.ts';

const token = () => randomBytes(400).toString('base64url');

test('a token is known from the second time on, and only itself', () => {
  const doorkeeper = createDoorkeeper();
  const first = token();
  assert.equal(doorkeeper.knows(first), false);
  assert.equal(doorkeeper.knows(first), true);
  assert.equal(doorkeeper.knows(token()), false);
});

test('of many tokens that come once, hardly any is taken for one that came before', () => {
  const doorkeeper = createDoorkeeper();
  let mistaken = 0;
  for (let i = 0; i < 20_000; i++) if (doorkeeper.knows(token())) mistaken++;
  assert.ok(mistaken < 20, `${mistaken} of 20,000`);
});

test('a token that is shorter than any signature is no reason to fail', () => {
  const doorkeeper = createDoorkeeper();
  assert.equal(doorkeeper.knows('a.b.c'), false);
  assert.equal(doorkeeper.knows('a.b.c'), true);
});

test('of many tokens that keep coming back, all are known in the end', () => {
  const doorkeeper = createDoorkeeper();
  let strangers = Array.from({ length: 20_000 }, token);
  for (let round = 0; round < 300; round++) strangers = strangers.filter((each) => !doorkeeper.knows(each));
  assert.equal(strangers.length, 0);
});
