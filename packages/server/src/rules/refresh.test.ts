// Every row of the table of refreshes, and the edges between the rows, to the millisecond.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionState } from '../storage/sessions.ts';
import { decideRefresh, type Presented, type RefreshDecision, type RefusedReason } from './refresh.ts';

const now = 1_800_000_000_000;
const day = 86_400_000;
const settings = { grace: 10_000, idle: 14 * day };

function session(changes: Partial<SessionState> = {}): SessionState {
  return {
    userId: 'usr_1',
    clientId: 'latchkey',
    generation: 7,
    rotatedAt: now - 100_000,
    idempotencyHash: null,
    lastUsedAt: now - 100_000,
    expiresAt: now + day,
    endedReason: null,
    userAlive: true,
    now,
    ...changes,
  };
}

function decide(
  state: Partial<SessionState>,
  presented: Partial<Presented> = {},
  grace = settings.grace,
): RefreshDecision {
  const token = { clientId: 'latchkey', generation: 7, idempotencyHash: null, ...presented };
  return decideRefresh(session(state), token, { ...settings, grace });
}

const advance: RefreshDecision = { kind: 'advance' };
const answer = (how: 'current' | 'race' | 'late'): RefreshDecision => ({
  kind: 'answer',
  generation: 7,
  how,
});
const end = (reason: 'reuse' | 'state_lost'): RefreshDecision => ({ kind: 'end', reason });
const refuse = (reason: RefusedReason): RefreshDecision => ({ kind: 'refuse', reason });

test('the current token: advances at the first refresh, and from twice the grace time on', () => {
  assert.deepEqual(decide({ rotatedAt: null, generation: 0 }, { generation: 0 }), advance);
  assert.deepEqual(decide({ rotatedAt: now - 20_000 }), advance);
  assert.deepEqual(decide({ rotatedAt: now - 19_999 }), answer('current'));
  assert.deepEqual(decide({ rotatedAt: now }), answer('current'));
});

test('the predecessor: the same successor until the grace time is over, then theft', () => {
  const before = { generation: 6 };
  assert.deepEqual(decide({ rotatedAt: now }, before), answer('race'));
  assert.deepEqual(decide({ rotatedAt: now - 9_999 }, before), answer('race'));
  assert.deepEqual(decide({ rotatedAt: now - 10_000 }, before), end('reuse'));
});

test('the predecessor with the key of its rotation: the same successor at any time', () => {
  const late = { rotatedAt: now - 13 * day, lastUsedAt: now - 13 * day, idempotencyHash: 'k' };
  assert.deepEqual(decide(late, { generation: 6, idempotencyHash: 'k' }), answer('late'));
  assert.deepEqual(decide(late, { generation: 6, idempotencyHash: 'other' }), end('reuse'));
  assert.deepEqual(decide(late, { generation: 6 }), end('reuse'));
  assert.deepEqual(decide({ ...late, idempotencyHash: null }, { generation: 6 }), end('reuse'));
});

test('a key does not help an older token', () => {
  const late = { rotatedAt: now, idempotencyHash: 'k' };
  assert.deepEqual(decide(late, { generation: 5, idempotencyHash: 'k' }), end('reuse'));
});

test('grandparents are theft, within the grace time too', () => {
  for (const generation of [5, 1, 0])
    assert.deepEqual(decide({ rotatedAt: now }, { generation }), end('reuse'));
});

test('above current: our state is older than the token', () => {
  for (const generation of [8, 9, 4_294_967_295])
    assert.deepEqual(decide({}, { generation }), end('state_lost'));
});

test('grace 0: every refresh advances, and the predecessor is theft in the same millisecond', () => {
  assert.deepEqual(decide({ rotatedAt: now }, {}, 0), advance);
  assert.deepEqual(decide({ rotatedAt: now }, { generation: 6 }, 0), end('reuse'));
});

test('dead sessions refuse with their reason whatever is presented, and nothing ends a second time', () => {
  const dead: [Partial<SessionState>, RefusedReason][] = [
    [{ endedReason: 'logout' }, 'ended'],
    [{ endedReason: 'password_changed' }, 'ended'],
    [{ endedReason: 'reuse' }, 'reuse'],
    [{ endedReason: 'state_lost' }, 'state_lost'],
    [{ endedReason: 'disabled' }, 'disabled'],
    [{ userAlive: false }, 'disabled'],
    [{ expiresAt: now }, 'expired'],
    [{ lastUsedAt: now - settings.idle }, 'idle'],
  ];
  for (const [state, reason] of dead) {
    for (const generation of [5, 6, 7, 8])
      assert.deepEqual(decide(state, { generation }), refuse(reason), reason);
  }
});

test('the last moment of life is alive', () => {
  assert.deepEqual(decide({ expiresAt: now + 1 }), advance);
  assert.deepEqual(decide({ lastUsedAt: now - settings.idle + 1 }), advance);
});

test('another client learns nothing, even of a dead session', () => {
  assert.deepEqual(decide({ endedReason: 'reuse' }, { clientId: 'cli_other' }), refuse('unknown'));
  assert.deepEqual(decide({}, { clientId: 'cli_other', generation: 3 }), refuse('unknown'));
});

test('no session: unknown', () => {
  const token = { clientId: 'latchkey', generation: 1, idempotencyHash: null };
  assert.deepEqual(decideRefresh(undefined, token, settings), refuse('unknown'));
});

test('a clock that stepped back takes nobody for a thief', () => {
  assert.deepEqual(decide({ rotatedAt: now + 1000 }), answer('current'));
  assert.deepEqual(decide({ rotatedAt: now + 1000 }, { generation: 6 }), answer('race'));
});
