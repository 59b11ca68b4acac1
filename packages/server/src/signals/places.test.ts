import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAddressLimit } from './address_limit.ts';
import { createPlaces } from './places.ts';

const nobody = () => assert.fail('nobody is to be ousted');
const limited = { code: 'rate_limited' };

test('strangers: so many of one address, three quarters of all places, and no more', () => {
  const places = createPlaces({ streams: 8, streamsPerAddress: 4 });
  const leave = Array.from({ length: 4 }, () => places.enterStranger('a', nobody));
  assert.throws(() => places.enterStranger('a', nobody), limited);
  places.enterStranger('b', nobody);
  places.enterStranger('c', nobody);
  assert.throws(() => places.enterStranger('d', nobody), limited);
  leave[0]?.();
  // Given back once, however often it is said.
  leave[0]?.();
  places.enterStranger('d', nobody);
  assert.throws(() => places.enterStranger('e', nobody), limited);
});

test('a registered reader takes the place of the stranger who came last', () => {
  const places = createPlaces({ streams: 4, streamsPerAddress: 4 });
  const ousted: string[] = [];
  const enter = (name: string) => places.enterStranger('a', () => ousted.push(name));
  const leave = ['first', 'second', 'third'].map(enter);
  places.enterRegistered();
  assert.deepEqual(ousted, []);
  const leaveRegistered = places.enterRegistered();
  assert.deepEqual(ousted, ['third']);
  // The one that was ousted has given its place back already.
  leave[2]?.();
  assert.throws(() => enter('fourth'), limited);
  places.enterRegistered();
  places.enterRegistered();
  assert.deepEqual(ousted, ['third', 'second', 'first']);
  assert.throws(() => places.enterRegistered(), limited);
  leaveRegistered();
  leaveRegistered();
  places.enterRegistered();
  assert.throws(() => places.enterRegistered(), limited);
});

test('where there is one place, a stranger may have it until it is needed', () => {
  const places = createPlaces({ streams: 1, streamsPerAddress: 4 });
  let ousted = false;
  places.enterStranger('a', () => {
    ousted = true;
  });
  places.enterRegistered();
  assert.equal(ousted, true);
  assert.throws(() => places.enterStranger('a', nobody), limited);
});

test('a bucket: a burst, then what flows in; each address has its own', () => {
  const clock = { time: 0 };
  const ask = createAddressLimit({ perSecond: 2, burst: 3, monotonic: () => clock.time });
  for (let i = 0; i < 3; i += 1) ask('a');
  assert.throws(() => ask('a'), { ...limited, retryAfter: 1 });
  ask('b');
  clock.time += 500;
  ask('a');
  assert.throws(() => ask('a'), limited);
  clock.time += 3_600_000;
  for (let i = 0; i < 3; i += 1) ask('a');
  assert.throws(() => ask('a'), limited);
});

test('of many addresses those that asked longest ago are forgotten', () => {
  const ask = createAddressLimit({ perSecond: 1, burst: 1, addresses: 2, monotonic: () => 0 });
  ask('a');
  ask('b');
  assert.throws(() => ask('a'), limited);
  ask('c');
  ask('b');
  assert.throws(() => ask('c'), limited);
});
