// One crowded shard against a plain list: entries run into each other, wrap around the end and move up when one goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashId } from './mark_id.ts';
import { fields, full, headOf, known, MarkShard } from './mark_shard.ts';

interface Entry {
  readonly id: number;
  readonly revoke: boolean;
  readonly below: number;
  readonly until: number;
}

const entry: fc.Arbitrary<Entry> = fc.record({
  id: fc.integer({ min: 0, max: 40 }),
  revoke: fc.boolean(),
  below: fc.integer({ min: 0, max: 3 }),
  until: fc.integer({ min: 1, max: 20 }),
});
const step = fc.oneof(
  { weight: 6, arbitrary: entry },
  { weight: 1, arbitrary: fc.record({ sweepAt: fc.integer({ min: 0, max: 20 }) }) },
);

function idOf(number: number): { readonly id: Int32Array; readonly hash: number } {
  const id = new Int32Array([number, ~number, 7, number << 8]);
  return { id, hash: hashId(id, 0) };
}

/** What a list of entries answers: several of one identifier, the stronger kind first. */
function model(entries: readonly Entry[], id: number, version: number, now: number): string | undefined {
  const hits = entries.filter((each) => each.id === id && version < each.below && each.until > now);
  return hits.length === 0 ? undefined : hits.some(({ revoke }) => revoke) ? 'revoked' : 'stale';
}

test('a crowded shard answers like a list of its entries', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      const counts = new Int32Array(4);
      const shard = new MarkShard(counts);
      let list: Entry[] = [];
      for (const each of steps) {
        if ('sweepAt' in each) {
          const kept = list.filter(({ until }) => until > each.sweepAt);
          assert.equal(shard.sweep(each.sweepAt).earliest, Math.min(...kept.map(({ until }) => until)));
          list = kept;
        } else {
          const { id, hash } = idOf(each.id);
          const same = (other: Entry): boolean => other.id === each.id && other.revoke === each.revoke;
          const weaker = list.filter((o) => same(o) && o.below <= each.below && o.until <= each.until);
          const covered = list.some((o) => same(o) && o.below >= each.below && o.until >= each.until);
          const head = headOf(fields.sub, each.revoke, each.below, each.until);
          assert.equal(shard.add(id, hash, head, each.until, true), covered ? known : weaker.length);
          if (!covered) list = [...list.filter((other) => !weaker.includes(other)), each];
        }
        assert.equal(shard.size, list.length);
        assert.deepEqual([...counts], [0, 0, list.length, 0]);
        for (let id = 0; id <= 40; id += 1) {
          const { id: words, hash } = idOf(id);
          const [version, now] = [id % 4, (id * 7) % 20];
          assert.equal(shard.find(words, hash, fields.sub, version, now), model(list, id, version, now));
          assert.equal(shard.find(words, hash, fields.user, version, now), undefined);
        }
      }
    }),
    { seed: 11, numRuns: 400 },
  );
});

test('a shard without room takes what replaces another entry, and nothing else', () => {
  const shard = new MarkShard(new Int32Array(4));
  const { id, hash } = idOf(1);
  assert.equal(shard.add(id, hash, headOf(fields.sub, true, 1, 10), 10, false), full);
  assert.equal(shard.add(id, hash, headOf(fields.sub, true, 1, 10), 10, true), 0);
  assert.equal(shard.add(id, hash, headOf(fields.sub, true, 2, 10), 10, false), 1);
  assert.equal(shard.add(id, hash, headOf(fields.sub, false, 2, 10), 10, false), full);
});
