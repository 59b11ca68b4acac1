import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyRefresh } from './key_refresh.ts';

test('signals that come during a fetch are answered by one fetch that begins after them', async () => {
  const fetches: (() => void)[] = [];
  let done = 0;
  const finished = Promise.withResolvers<void>();
  const refresh = createKeyRefresh({
    refreshKeys: () => new Promise((resolve) => fetches.push(resolve)),
    onDone() {
      done += 1;
      finished.resolve();
    },
    signal: new AbortController().signal,
  });
  assert.equal(refresh.pending, false);
  refresh.want();
  refresh.want();
  refresh.want();
  assert.equal(fetches.length, 1);
  assert.equal(refresh.pending, true);
  fetches[0]?.();
  await new Promise(setImmediate);
  assert.deepEqual([fetches.length, done, refresh.pending], [2, 0, true]);
  fetches[1]?.();
  await finished.promise;
  assert.deepEqual([fetches.length, done, refresh.pending], [2, 1, false]);
});

test('a fetch that fails is tried again until it succeeds, and not after the end', async () => {
  let failing = true;
  let fetches = 0;
  const end = new AbortController();
  const finished = Promise.withResolvers<void>();
  const refresh = createKeyRefresh({
    async refreshKeys() {
      fetches += 1;
      if (failing) {
        failing = false;
        throw new Error('not now');
      }
    },
    onDone: finished.resolve,
    signal: end.signal,
  });
  // Its own timers keep nobody alive.
  const alive = setInterval(() => {}, 1_000);
  refresh.want();
  await finished.promise;
  clearInterval(alive);
  assert.equal(fetches, 2);
  end.abort();
  refresh.want();
  assert.equal(fetches, 2);
});
