// The live set against a model that keeps every mark in a list and asks each of them.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createMarkSet,
  type Mark,
  type MarkedClaims,
  type MarkGroup,
  type MarkHit,
  type MarkSet,
  parseMark,
  parseMarkGroup,
  spotsOf,
} from './marks.ts';

// Names, identifiers of ours, one of them again with spare bits set, of users, and of somebody else.
const id = 'AbCdEfGhIjKlMnOpQrStUw';
const name = fc.constantFrom(
  'a',
  'doctor',
  id,
  `${id.slice(0, -1)}x`,
  `usr_${id}`,
  `cli_${id}`,
  'A'.repeat(22),
);
const version = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 19 - 2, 2 ** 19 - 1, 2 ** 19, Number.MAX_SAFE_INTEGER) },
);
const moment = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 30 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(2 ** 32, 2 ** 42 - 2, 2 ** 42 - 1, 2 ** 42, Number.MAX_SAFE_INTEGER),
  },
);
const mark: fc.Arbitrary<Mark> = fc
  .record({
    by: fc.constantFrom('jti', 'sid', 'client', 'kid', 'sub', 'role'),
    kind: fc.constantFrom('revoke', 'stale'),
    value: name,
    below: version,
    until: fc.option(moment, { nil: undefined }),
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

const isAlive = ({ until = Number.POSITIVE_INFINITY }: Mark, now: number): boolean => until > now;

function model(
  marks: readonly Mark[],
  token: Required<MarkedClaims>,
  kid: string,
  now: number,
): MarkHit | undefined {
  const hits = marks.filter((mark) => {
    const { by, value, below = 0 } = mark;
    if (!isAlive(mark, now)) return false;
    if (by === 'sub') return token.sub === value && token.ver < below;
    if (by === 'role') return token.roles.includes(value) && token.rver < below;
    return { jti: token.jti, sid: token.sid, client: token.client_id, kid }[by] === value;
  });
  if (hits.some(({ kind }) => kind === 'revoke')) return 'revoked';
  return hits.length > 0 ? 'stale' : undefined;
}

/** As a snapshot has them: one group for each kind and `by`, those that live for ever apart. */
function groupsOf(marks: readonly Mark[]): readonly MarkGroup[] {
  const groups = Map.groupBy(marks, ({ kind, by, until }) => `${kind} ${by} ${until === undefined}`);
  return [...groups.values()].map((group) => {
    const { kind, by, until, below } = group[0] as Mark;
    const parsed = parseMarkGroup({
      kind,
      by,
      values: group.map(({ value }) => value),
      ...(below === undefined ? {} : { below: group.map((each) => each.below) }),
      ...(until === undefined ? {} : { until: group.map((each) => each.until) }),
    });
    assert.ok(parsed);
    return parsed;
  });
}

test('any applicable mark refuses and no other: random histories with time, replays, snapshots and sweeps', () => {
  const step = fc.record({
    marks: fc.array(mark, { minLength: 1, maxLength: 3 }),
    how: fc.constantFrom('add', 'add twice', 'load'),
    sweep: fc.boolean(),
    // A wall clock may be set back.
    pass: fc.integer({ min: -2, max: 5 }),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 12 }),
      fc.array(claims, { minLength: 1, maxLength: 8 }),
      name,
      (steps, tokens, kid) => {
        const set = createMarkSet();
        let history: Mark[] = [];
        let now = 0;
        const assertAlike = (each: MarkSet): void => {
          for (const token of tokens)
            assert.equal(each.hit(token, kid, now), model(history, token, kid, now));
        };
        for (const { marks, how, sweep, pass } of steps) {
          const before = set.version;
          if (how === 'load') assert.equal(set.load(groupsOf(marks), now), 'ok');
          for (let again = how === 'load' ? 2 : how === 'add' ? 1 : 0; again < 2; again += 1)
            for (const mark of marks) set.add(mark, now);
          if (set.version === before) assertAlike(set);
          history.push(...marks.filter((mark) => isAlive(mark, now)));
          assertAlike(set);
          now += pass;
          if (sweep) {
            set.sweep(now);
            history = history.filter((mark) => isAlive(mark, now));
          }
          assertAlike(set);
          assert.equal([...set.list()].length, set.size);
        }
        const copy = createMarkSet();
        for (const mark of set.list()) copy.add(mark, now);
        assertAlike(copy);
        const loaded = createMarkSet();
        loaded.load(groupsOf([...set.list()]), now);
        assertAlike(loaded);
        assert.equal(loaded.size, copy.size);
      },
    ),
    { seed: 7, numRuns: 2_000 },
  );
});

test('a token that is remembered as not hit, and asked again only when it may be, gets the same answers', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(mark, fc.integer({ min: 0, max: 4 })), { maxLength: 12 }),
      fc.array(claims, { minLength: 1, maxLength: 8 }),
      name,
      (steps, tokens, kid) => {
        const set = createMarkSet();
        const seen = tokens.map((token) => ({ token, spots: spotsOf(token), unmarkedAt: -1 }));
        const history: Mark[] = [];
        let now = 0;
        for (const [mark, pass] of steps) {
          now += pass;
          set.add(mark, now);
          history.push(mark);
          for (const each of seen) {
            const asks = set.mayHitSince(each.spots, each.unmarkedAt);
            const hit = asks ? set.hit(each.token, kid, now) : undefined;
            assert.equal(hit, model(history, each.token, kid, now));
            if (hit === undefined) each.unmarkedAt = set.version;
          }
        }
      },
    ),
    { seed: 13, numRuns: 1_000 },
  );
});

test('a large set that grows, is swept in pieces and shrinks answers like a list', () => {
  const set = createMarkSet();
  const count = 80_000;
  // Later ones live longer, by turns as session, subject and token.
  const marks = Array.from({ length: count }, (_, i): Mark => {
    const value = randomBytes(16).toString('base64url');
    const until = 1_790_000_000_000 + i;
    if (i % 3 === 0) return { kind: 'revoke', by: 'sid', value, until };
    if (i % 3 === 1) return { kind: 'stale', by: 'sub', value: `usr_${value}`, below: (i % 7) + 1, until };
    return { kind: 'revoke', by: 'jti', value, until };
  });
  const hit = ({ by, value, below }: Mark, now: number): MarkHit | undefined =>
    set.hit(by === 'sub' ? { sub: value, ver: (below ?? 0) - 1 } : { [by]: value }, undefined, now);
  const assertAlike = (now: number): void => {
    for (const [i, mark] of marks.entries()) {
      if (i % 11 !== 0) continue;
      const expected = isAlive(mark, now) ? (mark.by === 'sub' ? 'stale' : 'revoked') : undefined;
      assert.equal(hit(mark, now), expected);
      if (mark.by === 'sub')
        assert.equal(set.hit({ sub: mark.value, ver: mark.below ?? 0 }, undefined, now), undefined);
    }
  };
  const [first] = marks as [Mark];
  for (const mark of marks.slice(0, count / 2)) assert.equal(set.add(mark, 0), 'new');
  assert.equal(set.load(groupsOf(marks), 0), 'ok');
  assert.equal(set.size, count);
  assert.equal(set.version, count);
  assertAlike(0);
  for (const part of [0.5, 0.97, 1]) {
    const now = (first.until ?? 0) + Math.floor(count * part) - 1;
    let sweeps = 0;
    for (; set.sweep(now) > 0; sweeps += 1) assertAlike(now);
    assert.ok(part > 0.5 || sweeps > 1);
    assert.equal(set.size, count - Math.floor(count * part));
    assertAlike(now);
  }
  assert.equal(set.sweep(Number.MAX_SAFE_INTEGER), 0);
});

test('a set that is read in pauses shows all that stays', () => {
  const set = createMarkSet();
  const value = (i: number): string =>
    Buffer.from(`a session, ${String(i).padStart(5)}`).toString('base64url');
  for (let i = 0; i < 3_000; i += 1)
    set.add({ kind: 'revoke', by: 'sid', value: value(i), until: i < 500 ? 5 : 9 }, 0);
  const seen = new Set<string>();
  let added = 3_000;
  for (const mark of set.list()) {
    seen.add(mark.value);
    if (seen.size % 2 === 0) set.add({ kind: 'revoke', by: 'sid', value: value(added++) }, 0);
    if (seen.size === 1_000) set.sweep(6);
  }
  for (let i = 500; i < 3_000; i += 1) assert.ok(seen.has(value(i)));
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

test('a full set drops what is over before it says so, wherever it stands', () => {
  const set = createMarkSet(2_000);
  const value = (i: number): string =>
    Buffer.from(`a session, ${String(i).padStart(5)}`).toString('base64url');
  for (let i = 0; i < 2_000; i += 1) {
    const until = i === 777 ? 5 : 9;
    assert.equal(set.add({ kind: 'revoke', by: 'sid', value: value(i), until }, 0), 'new');
  }
  assert.equal(set.add({ kind: 'revoke', by: 'kid', value: 'k' }, 4), 'full');
  assert.equal(set.load([{ kind: 'revoke', by: 'sid', values: [value(0), value(2_000)] }], 4), 'full');
  assert.equal(set.add({ kind: 'revoke', by: 'kid', value: 'k' }, 5), 'new');
  assert.equal(set.size, 2_000);
  assert.equal(set.hit({ sid: value(777) }, undefined, 0), undefined);
  assert.equal(set.add({ kind: 'revoke', by: 'sid', value: value(2_000) }, 9), 'new');
  assert.ok(set.size < 2_000);
  assert.ok(set.sweep(9) > 0);
  assert.equal(set.size, 3);
});

test('a token without the version counter is the oldest there can be', () => {
  const set = createMarkSet();
  set.add({ kind: 'stale', by: 'sub', value: 'u', below: 0 }, 0);
  assert.equal(set.hit({ sub: 'u' }, undefined, 0), 'stale');
});
