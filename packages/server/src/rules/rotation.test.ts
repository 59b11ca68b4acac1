import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyState, SigningKeyRecord } from '../storage/signing_keys.ts';
import { clockSkew, jwksMaxAge, keyLeadTime } from './lifetimes.ts';
import { activationTime, planRotation, retirementTime } from './rotation.ts';

const now = 1_800_000_000_000;
const policy = { alg: 'ES256', every: 86_400_000, maxTokenLife: 300 };

function key(kid: string, state: KeyState, changes: Partial<SigningKeyRecord> = {}): SigningKeyRecord {
  const created = {
    ...{ createdAt: now - 1000, activatesAt: now - 1000, retiresAt: null },
    ...{ publishedSeq: 1, waitingSince: null },
  };
  return { kid, alg: 'ES256', state, publicJwk: '{}', privateKey: '', ...created, ...changes };
}

test('a key is published longer than any cache keeps a set without it, before it signs', () => {
  assert.equal(activationTime(now) - now, (jwksMaxAge + clockSkew) * 1000);
});

test('a key retires only after the last token it signed has expired', () => {
  assert.ok(retirementTime(now, policy) - now >= policy.maxTokenLife * 1000 + clockSkew * 1000);
});

test('nothing is due: nothing happens', () => {
  const plan = planRotation([key('a', 'current'), key('b', 'next')], now, policy);
  assert.deepEqual(plan, { create: false, promote: undefined, wait: undefined, retire: [] });
});

test('due: the next key takes over exactly when the current one is old enough', () => {
  const keys = [key('a', 'current', { activatesAt: now - policy.every }), key('b', 'next')];
  assert.deepEqual(planRotation(keys, now, policy).promote, {
    next: 'b',
    current: 'a',
    retiresAt: retirementTime(now, policy),
  });
  assert.equal(planRotation(keys, now - 1, policy).promote, undefined);
});

test('due or forced, but the next key has not been published long enough: it waits', () => {
  const keys = [
    key('a', 'current', { activatesAt: now - policy.every }),
    key('b', 'next', { activatesAt: now + 1 }),
  ];
  assert.equal(planRotation(keys, now, policy).promote, undefined);
  assert.equal(planRotation(keys, now, policy, { force: true }).promote, undefined);
  assert.equal(planRotation(keys, now + 1, policy, { force: true }).promote?.next, 'b');
});

test('without a current key the next one signs at once, and without any key one is made', () => {
  const waiting = key('b', 'next', { activatesAt: now + 60_000 });
  assert.equal(planRotation([waiting], now, policy).promote?.next, 'b');
  assert.deepEqual(planRotation([], now, policy), {
    ...{ create: true, promote: undefined, wait: undefined, retire: [] },
  });
});

test('previous keys leave when their time has come, not before', () => {
  const keys = [
    key('a', 'current'),
    key('b', 'next'),
    key('c', 'previous', { retiresAt: now }),
    key('d', 'previous', { retiresAt: now + 1 }),
  ];
  assert.deepEqual(planRotation(keys, now, policy).retire, ['c']);
});

test('another algorithm: the old key signs on until the first of the new ones may, and its own next one goes', () => {
  const old = [key('a', 'current', { alg: 'RS256' }), key('b', 'next', { alg: 'RS256' })];
  assert.deepEqual(planRotation(old, now, policy), {
    ...{ create: true, promote: undefined, wait: undefined, retire: ['b'] },
  });
  const waiting = [...old, key('c', 'next', { activatesAt: now + 1 })];
  assert.equal(planRotation(waiting, now, policy).promote, undefined);
  const { promote } = planRotation(waiting, now + 1, policy);
  assert.deepEqual([promote?.next, promote?.current], ['c', 'a']);
});

const dueKeys = (changes: Partial<SigningKeyRecord> = {}) => [
  key('a', 'current', { activatesAt: now - policy.every }),
  key('b', 'next', changes),
];

test('a verifier that does not have the next key yet is waited for, whether it is due or forced', () => {
  const plan = planRotation(dueKeys(), now, policy, { behind: true });
  assert.deepEqual([plan.promote, plan.wait], [undefined, 'b']);
  const young = [key('a', 'current'), key('b', 'next')];
  const forced = planRotation(young, now, policy, { behind: true, force: true });
  assert.deepEqual([forced.promote, forced.wait], [undefined, 'b']);
  assert.equal(planRotation(dueKeys({ waitingSince: now - 1000 }), now, policy).promote?.next, 'b');
});

test('the beginning of the wait is noted once, and it is over after the lead time', () => {
  const at = (waited: number, force = false) =>
    planRotation(dueKeys({ waitingSince: now - waited }), now, policy, { behind: true, force });
  assert.deepEqual([at(1000).promote, at(1000).wait], [undefined, undefined]);
  assert.equal(at(keyLeadTime - 1).promote, undefined);
  assert.equal(at(keyLeadTime).promote?.next, 'b');
  assert.equal(at(keyLeadTime, true).promote?.next, 'b');
});

test('a wait that nobody came back for does not count: the next one is a whole one', () => {
  const stale = dueKeys({ waitingSince: now - 2 * keyLeadTime });
  const plan = planRotation(stale, now, policy, { behind: true, force: true });
  assert.deepEqual([plan.promote, plan.wait], [undefined, 'b']);
});

test('nobody is waited for while nothing is due, nor while the key is too young, nor where it must be now', () => {
  const young = [key('a', 'current'), key('b', 'next')];
  assert.equal(planRotation(young, now, policy, { behind: true }).wait, undefined);
  const unripe = dueKeys({ activatesAt: now + 1 });
  assert.equal(planRotation(unripe, now, policy, { behind: true }).wait, undefined);
  assert.equal(
    planRotation(unripe, now, policy, { behind: true, force: true, early: true }).promote?.next,
    'b',
  );
  assert.equal(planRotation([key('b', 'next')], now, policy, { behind: true }).promote?.next, 'b');
});
