import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createRecentMarks, spotsOf } from './mark_recent.ts';

const randomId = (): string => randomBytes(16).toString('base64url');

test('an addition is never missed by a token that it hits, whenever that was looked at last', () => {
  const recent = createRecentMarks();
  const added: string[] = [];
  for (let version = 1; version <= 9_000; version += 1) {
    const value = version % 50 === 0 ? `user-${version}` : randomId();
    const by = (['jti', 'sid', 'sub'] as const)[version % 3] ?? 'jti';
    recent.added(by, value, version);
    added.push(value);
    // Of the additions up to now one at random, looked for by one that was seen just before it, or long before.
    const at = Math.floor(Math.random() * version);
    const spots = spotsOf({ jti: randomId(), [['sid', 'sub', 'jti'][at % 3] ?? '']: added[at] });
    assert.ok(recent.mayHit(spots, at), `${at} of ${version}`);
    assert.ok(recent.mayHit(spots, Math.floor(at / 2)));
    assert.ok(recent.mayHit(spots, -1), 'never looked at');
  }
});

test('a token that nothing hits is told so, if it was seen not long ago', () => {
  const recent = createRecentMarks();
  let perhaps = 0;
  for (let version = 1; version <= 9_000; version += 1) {
    recent.added('sid', randomId(), version);
    const spots = spotsOf({ jti: randomId(), sid: randomId(), sub: `usr_${randomId()}` });
    if (recent.mayHit(spots, Math.max(0, version - 100))) perhaps += 1;
  }
  assert.ok(perhaps < 600, `${perhaps}`);
});

test('what is added by client, key or role may hit any token', () => {
  for (const by of ['client', 'kid', 'role'] as const) {
    const recent = createRecentMarks();
    recent.added(by, 'x', 5);
    const spots = spotsOf({ jti: randomId() });
    assert.ok(recent.mayHit(spots, 4));
    assert.ok(!recent.mayHit(spots, 5));
  }
});
