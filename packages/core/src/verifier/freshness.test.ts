import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFreshness } from './freshness.ts';

test('only a later `as_of` is news: a replayed one leaves age, clock and life as they are', () => {
  let wall = 1_000_000;
  let monotonic = 0;
  const freshness = createFreshness({
    now: () => wall,
    monotonic: () => monotonic,
    clockTolerance: 30,
    maxTokenLife: 3_600,
  });
  assert.equal(freshness.heard(wall, 600), true);
  assert.equal(freshness.holds(wall, true), true);
  // The wall clock is set back, so that the monotonic one alone speaks.
  monotonic = 11_000;
  wall -= 60_000;
  for (const asOf of [1_000_000, 999_999, 0]) assert.equal(freshness.heard(asOf, 60), false);
  assert.equal(freshness.age(wall), 11_000);
  assert.equal(freshness.holds(wall, true), false);
  assert.equal(freshness.maxLife, 600);
  assert.equal(freshness.clock(wall), 1_000_000);
  assert.equal(freshness.heard(1_000_001, 60), true);
  assert.equal(freshness.maxLife, 60);
  assert.ok(freshness.age(wall) < 11_000);
});
