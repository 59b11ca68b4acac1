// The live set against a model that keeps every mark in a list and asks each of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createMarkSet, type Mark, type MarkedClaims, type MarkHit, parseMark } from './marks.ts';

const name = fc.constantFrom('a', 'b', 'c');
const version = fc.integer({ min: 0, max: 4 });
const mark: fc.Arbitrary<Mark> = fc
  .record({
    by: fc.constantFrom('jti', 'sid', 'client', 'kid', 'sub', 'role'),
    kind: fc.constantFrom('revoke', 'stale'),
    value: name,
    below: version,
    until: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
  })
  .map(({ by, kind, value, below, until }) => {
    const parsed = parseMark(by === 'role' ? 'stale' : by === 'sub' ? kind : 'revoke', {
      by,
      value,
      ...(by === 'sub' || by === 'role' ? { below } : {}),
      ...(until === undefined ? {} : { until }),
    });
    assert.ok(parsed);
    return parsed;
  });
const claims = fc.record({
  jti: name,
  sid: name,
  client_id: name,
  sub: name,
  ver: version,
  roles: fc.uniqueArray(name, { maxLength: 2 }),
  rver: version,
});

function model(
  marks: readonly Mark[],
  token: Required<MarkedClaims>,
  kid: string,
  now: number,
): MarkHit | undefined {
  const hits = marks.filter(({ by, value, below = 0, until = Number.POSITIVE_INFINITY }) => {
    if (until <= now) return false;
    if (by === 'sub') return token.sub === value && token.ver < below;
    if (by === 'role') return token.roles.includes(value) && token.rver < below;
    return { jti: token.jti, sid: token.sid, client: token.client_id, kid }[by] === value;
  });
  if (hits.some(({ kind }) => kind === 'revoke')) return 'revoked';
  return hits.length > 0 ? 'stale' : undefined;
}

test('any applicable mark refuses and no other: random histories with time, replays and sweeps', () => {
  const step = fc.record({
    mark,
    replays: fc.integer({ min: 1, max: 2 }),
    sweep: fc.boolean(),
    pass: fc.integer({ min: 0, max: 5 }),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 12 }),
      fc.array(claims, { minLength: 1, maxLength: 8 }),
      name,
      (steps, tokens, kid) => {
        const set = createMarkSet();
        const history: Mark[] = [];
        let now = 0;
        for (const { mark, replays, sweep, pass } of steps) {
          for (let again = 0; again < replays; again += 1) set.add(mark, now);
          history.push(mark);
          now += pass;
          if (sweep) set.sweep(now);
          for (const token of tokens) assert.equal(set.hit(token, kid, now), model(history, token, kid, now));
        }
        const copy = createMarkSet();
        for (const mark of set.list()) copy.add(mark, now);
        for (const token of tokens) assert.equal(copy.hit(token, kid, now), model(history, token, kid, now));
      },
    ),
    { seed: 7, numRuns: 2_000 },
  );
});

test('the size is bounded, expired marks make room, and the version counts additions', () => {
  const set = createMarkSet(3);
  for (const value of ['a', 'b'])
    assert.equal(set.add({ kind: 'revoke', by: 'sid', value, until: 10 }, 0), 'new');
  assert.equal(set.add({ kind: 'revoke', by: 'sub', value: 'u', below: 2 }, 0), 'new');
  const { version } = set;
  assert.equal(set.add({ kind: 'revoke', by: 'sid', value: 'c' }, 0), 'full');
  assert.equal(set.add({ kind: 'revoke', by: 'sub', value: 'v', below: 2 }, 0), 'full');
  assert.equal(set.add({ kind: 'revoke', by: 'sid', value: 'a', until: 10 }, 0), 'known');
  assert.equal(set.version, version);
  assert.equal(set.add({ kind: 'revoke', by: 'sub', value: 'u', below: 3 }, 0), 'new');
  assert.ok(set.version > version);
  assert.equal(set.size, 3);
  assert.equal(set.sweep(10), 2);
  assert.equal(set.size, 1);
  assert.equal(set.add({ kind: 'revoke', by: 'sid', value: 'c' }, 10), 'new');
  assert.equal(set.add({ kind: 'revoke', by: 'sid', value: 'd', until: 10 }, 10), 'known', 'over already');
});

test('a token without the version counter is the oldest there can be', () => {
  const set = createMarkSet();
  set.add({ kind: 'stale', by: 'sub', value: 'u', below: 0 }, 0);
  assert.equal(set.hit({ sub: 'u' }, undefined, 0), 'stale');
});

test('what is no mark, or none of ours', () => {
  const good = { by: 'sid', value: 'x' };
  assert.ok(parseMark('revoke', good));
  const bad: [unknown, unknown][] = [
    ['stale', good],
    ['keys', good],
    ['revoke', null],
    ['revoke', [good]],
    ['revoke', { ...good, by: 'toString' }],
    ['revoke', { ...good, by: 'role', below: 1 }],
    ['revoke', { ...good, below: 1 }],
    ['revoke', { ...good, value: '' }],
    ['revoke', { ...good, value: 1 }],
    ['revoke', { ...good, value: 'x'.repeat(513) }],
    ['revoke', { ...good, until: -1 }],
    ['revoke', { ...good, until: '1' }],
    ['revoke', { by: 'sub', value: 'x' }],
    ['revoke', { by: 'sub', value: 'x', below: 1.5 }],
  ];
  for (const [kind, value] of bad)
    assert.equal(parseMark(kind, value), undefined, JSON.stringify([kind, value]));
});
