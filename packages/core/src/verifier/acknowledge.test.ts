import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dueAt, type Pending } from './acknowledge.ts';

const idle: Pending = {
  owed: false,
  asked: false,
  sentAt: 1_000,
  askedAt: Number.NEGATIVE_INFINITY,
  failures: 0,
};

test('the first at once, then once a second, ten times when asked, every 20 s anyway', () => {
  const first = { ...idle, sentAt: Number.NEGATIVE_INFINITY };
  assert.ok(dueAt({ ...first, owed: true }, 0) <= 0);
  assert.ok(dueAt({ ...first, asked: true }, 0) <= 0);
  assert.equal(dueAt({ ...idle, owed: true }, 1_500), 2_000);
  assert.equal(dueAt({ ...idle, asked: true }, 1_050), 1_100);
  assert.equal(dueAt({ ...idle, asked: true, owed: true, failures: 9 }, 1_050), 1_100);
  assert.ok(dueAt(idle, 1_050) > 1_000 && dueAt(idle, 1_050) <= 21_000);
});

test('what was asked about may be on its way: for a second a new position need not wait', () => {
  const moved = { ...idle, owed: true, askedAt: 1_000 };
  assert.equal(dueAt(moved, 1_999), 1_100);
  assert.equal(dueAt(moved, 2_000), 2_000);
});

test('after failures the pauses grow, up to the usual one', () => {
  const pauses = [1, 2, 3, 4, 5, 50].map(
    (failures) => dueAt({ ...idle, owed: true, failures }, 1_000) - 1_000,
  );
  assert.deepEqual(pauses, [2_000, 4_000, 8_000, 16_000, 18_000, 18_000]);
});
