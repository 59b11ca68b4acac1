import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurns } from './turns.ts';

/** Work that ends when it is told to. */
function held() {
  const ends: (() => void)[] = [];
  const work = () => new Promise<number>((resolve) => ends.push(() => resolve(ends.length)));
  return { ends, work };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('who comes while a turn runs is answered by the next one, which all of them share', async () => {
  const { ends, work } = held();
  const ask = inTurns(work, { rest: 0, longestRest: 0 });
  const first = ask();
  await settled();
  const later = [ask(), ask(), ask()];
  await settled();
  assert.equal(ends.length, 1);
  ends[0]?.();
  assert.equal(await first, 1);
  await settled();
  assert.equal(ends.length, 2);
  ends[1]?.();
  assert.deepEqual(await Promise.all(later), [2, 2, 2]);
});

test('a turn that fails says so to those who asked, and to nobody after them', async () => {
  let turns = 0;
  const ask = inTurns(
    async () => {
      turns += 1;
      if (turns === 1) throw new Error('no');
      return turns;
    },
    { rest: 0, longestRest: 0 },
  );
  const both = [ask(), ask()];
  for (const one of both) await assert.rejects(one, /no/);
  assert.equal(await ask(), 2);
});

test('a long turn is followed by a rest, in which all that come share one more turn', async () => {
  let clock = 0;
  let turns = 0;
  const ask = inTurns(
    async () => {
      clock += 100;
      turns += 1;
    },
    { rest: 3, longestRest: 30, monotonic: () => clock },
  );
  await ask();
  const began = performance.now();
  await Promise.all([ask(), ask(), ask()]);
  assert.ok(performance.now() - began >= 25);
  assert.equal(turns, 2);
});
