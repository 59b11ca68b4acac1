import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withLock } from './lock.ts';

test('work under one lock runs one after the other, where locks exist', {
  skip: navigator.locks === undefined,
}, async () => {
  const order: string[] = [];
  const job = (name: string) => async () => {
    order.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    order.push(`${name} ends`);
  };
  await Promise.all([withLock('one', 5_000, job('a')), withLock('one', 5_000, job('b'))]);
  assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends']);
});

test('a holder that never lets go is not waited for', async () => {
  let release = (): void => {};
  const held = withLock('stuck', 5_000, () => new Promise<void>((resolve) => (release = resolve)));
  assert.equal(await withLock('stuck', 20, async () => 'went on'), 'went on');
  release();
  await held;
});

test('work that fails is not run a second time', async () => {
  let runs = 0;
  const work = async () => {
    runs += 1;
    throw new Error('no');
  };
  await assert.rejects(withLock('failing', 5_000, work), /no/);
  assert.equal(runs, 1);
});
