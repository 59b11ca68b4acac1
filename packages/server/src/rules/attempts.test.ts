import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countersFor } from './attempts.ts';

const limit = (max: number) => ({ max, window: 1000 });
const limits = { accountAndAddress: limit(1), address: limit(2), account: limit(3), device: limit(4) };
const names = (login: string, address: string, device?: string) =>
  countersFor({ login, address, device }, limits).map(({ name }) => name);

test('a stranger is counted by address, by account, and by both', () => {
  const counters = countersFor({ login: 'ada', address: '192.0.2.1' }, limits);
  assert.deepEqual(
    counters.map((counter) => counter.limit.max),
    [2, 1, 3],
  );
});

test('a known device is counted by itself alone, so that nobody else can use up its attempts', () => {
  const counters = countersFor({ login: 'ada', address: '192.0.2.1', device: 'd1' }, limits);
  assert.deepEqual(
    counters.map((counter) => counter.limit.max),
    [4],
  );
  assert.ok(!names('ada', '192.0.2.1').includes(counters[0]?.name ?? ''));
});

test('no two accounts or addresses share a counter of their own', () => {
  const [, both, account] = names('ada', '192.0.2.1');
  assert.ok(
    !names('bob', '192.0.2.1')
      .slice(1)
      .includes(account ?? ''),
  );
  assert.ok(!names('bob', '192.0.2.1').includes(both ?? ''));
  assert.equal(names('ada', '192.0.2.2')[2], account);
  assert.notEqual(names('ada', '192.0.2.2')[1], both);
});

test('counters hold nothing that was typed', () => {
  assert.ok(!names('my-secret-typed-as-a-name', '192.0.2.1').join().includes('secret'));
});
