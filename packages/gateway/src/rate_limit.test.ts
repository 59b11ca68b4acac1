import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createRateLimiter } from './rate_limit.ts';

it('lets the amount through, then one for each share of the time', () => {
  const limiter = createRateLimiter({ requests: 3, seconds: 6 });
  assert.deepEqual(
    [0, 0, 0, 0].map((now) => limiter.take('a', now)),
    [0, 0, 0, 2],
  );
  assert.equal(limiter.take('a', 1_000), 1);
  assert.equal(limiter.take('a', 2_000), 0);
  assert.equal(limiter.take('a', 2_000), 2);
  assert.equal(limiter.take('b', 2_000), 0);
});

it('neither refills nor locks out when the clock steps back', () => {
  const limiter = createRateLimiter({ requests: 1, seconds: 1 });
  assert.equal(limiter.take('a', 1_000_000), 0);
  assert.equal(limiter.take('a', 0), 1);
  assert.equal(limiter.take('a', 1_000), 0);
});

it('holds no more keys than it may, and forgets the longest unasked', () => {
  const limiter = createRateLimiter({ requests: 1, seconds: 1000 }, 100);
  limiter.take('busy', 0);
  for (let index = 0; index < 1_000; index += 1) {
    limiter.take(`key${index}`, 0);
    assert.ok(limiter.take('busy', 0) > 0);
  }
  assert.equal(limiter.size, 100);
});
