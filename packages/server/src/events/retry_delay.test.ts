import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryDelay } from './retry_delay.ts';

test('about a second, twice as long each time, an hour at the most, and never all at one moment', () => {
  assert.deepEqual(
    [1, 2, 3, 4].map((failures) => retryDelay(failures, 1)),
    [1000, 2000, 4000, 8000],
  );
  assert.deepEqual([retryDelay(3, 0), retryDelay(3, 0.5)], [2000, 3000]);
  for (const failures of [13, 100, 1e9]) assert.equal(retryDelay(failures, 1), 3_600_000);
});
