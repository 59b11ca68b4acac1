import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { editDistance, nearest } from './spelling.ts';

test('the distance counts changes, and a swap of neighbours as one', () => {
  assert.equal(editDistance('start', 'start'), 0);
  assert.equal(editDistance('strat', 'start'), 1);
  assert.equal(editDistance('stat', 'start'), 1);
  assert.equal(editDistance('', 'auth'), 4);
});

test('the distance is symmetric, and zero only for equal words', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.equal(editDistance(a, b) === 0, a === b);
    }),
    { seed: 7, numRuns: 300 },
  );
});

test('the nearest word is found when it is near enough, and not otherwise', () => {
  const commands = ['start', 'user add', 'user list', 'doctor'];
  assert.equal(nearest('strat', commands), 'start');
  assert.equal(nearest('user ad', commands), 'user add');
  assert.equal(nearest('DOCTOR', commands), 'doctor');
  assert.equal(nearest('kubernetes', commands), undefined);
  assert.equal(nearest('x', commands), undefined);
});
