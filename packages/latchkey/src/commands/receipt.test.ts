import assert from 'node:assert/strict';
import test from 'node:test';
import { CommandError } from '../failure.ts';
import { type Command, readInput } from './command.ts';
import { receiptField, receiptOf, waitOption, waitQuery } from './receipt.ts';

const command: Command = {
  usage: 'session end SESSION',
  words: ['SESSION'],
  about: '',
  options: { ...waitOption, json: { type: 'boolean', about: '' } },
  run: async () => {},
};
const queryOf = (...args: readonly string[]) => waitQuery(readInput(command, ['id', ...args]));

test('--wait has a time of its own and takes another one', () => {
  assert.equal(queryOf(), '');
  assert.equal(queryOf('--wait'), '?wait=applied&timeout=5');
  assert.equal(queryOf('--wait', '--json'), '?wait=applied&timeout=5');
  assert.equal(queryOf('--wait=30'), '?wait=applied&timeout=30');
  assert.equal(queryOf('--wait=10s'), '?wait=applied&timeout=10');
  for (const wrong of ['--wait=0', '--wait=31', '--wait=soon'])
    assert.throws(() => queryOf(wrong), { name: 'CommandError', exitCode: 2 });
});

test('a time after a space is a word too many, not a time', () => {
  assert.throws(() => queryOf('--wait', '10'), CommandError);
});

test('the receipt is the answer itself, or a member of it', () => {
  const receipt = { seq: 4, applied: [], pending: [] };
  assert.equal(receiptOf(receipt), receipt);
  assert.equal(receiptOf({ id: 'u', receipt }), receipt);
  for (const other of [undefined, null, '', { id: 'u' }, { receipt: 'x' }]) {
    assert.equal(receiptOf(other), undefined);
    assert.deepEqual(receiptField(other), {});
  }
});
