import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addGroups, addMark, FullFault, groupMarks, type MarkAdder, readMarkGroups } from './mark_groups.ts';
import { createMarkSet, type Mark, type MarkSet } from './marks.ts';

const marks: readonly Mark[] = [
  { kind: 'revoke', by: 'sid', value: 'a', until: 10 },
  { kind: 'revoke', by: 'kid', value: 'k' },
  { kind: 'stale', by: 'sub', value: 'u', below: 2, until: 20 },
  { kind: 'revoke', by: 'sid', value: 'b', until: 30 },
  { kind: 'revoke', by: 'sid', value: 'c' },
];

const adderOf = (set: MarkSet, heard?: Mark[]): MarkAdder => ({
  marks: set,
  clock: () => 0,
  onNew: () => heard && ((mark) => heard.push(mark)),
});

const sorted = (list: Iterable<Mark>) => [...list].map((mark) => JSON.stringify(mark)).sort();

test('marks become groups and groups become marks', () => {
  const groups = groupMarks(marks);
  assert.deepEqual(groups[0], { kind: 'revoke', by: 'sid', values: ['a', 'b'], until: [10, 30] });
  assert.equal(groups.length, 4);
  assert.deepEqual(readMarkGroups(JSON.parse(JSON.stringify(groups))), groups);
  const set = createMarkSet();
  for (const _ of addGroups(adderOf(set), groups));
  assert.equal(set.size, marks.length);
  assert.deepEqual(sorted(set.list()).length, marks.length);
});

test('a listener hears each new mark once, and the same marks are in force with and without one', () => {
  const heard: Mark[] = [];
  const set = createMarkSet();
  for (let times = 0; times < 2; times += 1)
    for (const _ of addGroups(adderOf(set, heard), groupMarks(marks)));
  assert.deepEqual(sorted(heard), sorted(marks));
  assert.equal(set.size, marks.length);
});

test('a long group is added in steps, whole', () => {
  const values = Array.from({ length: 100_000 }, (_, at) => `v${at}`);
  const until = values.map((_, at) => at + 1);
  const set = createMarkSet();
  let steps = 0;
  for (const _ of addGroups(adderOf(set), [{ kind: 'revoke', by: 'jti', values, until }])) steps += 1;
  assert.ok(steps > 1);
  assert.equal(set.size, values.length);
  assert.equal(set.hit({ jti: 'v99999' }, undefined, 99_999), 'revoked');
  assert.equal(set.hit({ jti: 'v99998' }, undefined, 99_999), undefined);
});

test('more than there is room for', () => {
  const [first, ...rest] = marks as [Mark, ...Mark[]];
  const full = adderOf(createMarkSet(1));
  addMark(full, first);
  assert.throws(() => addMark(full, rest[0] as Mark), FullFault);
  assert.throws(() => [...addGroups(full, groupMarks(marks))], FullFault);
  assert.throws(() => [...addGroups(adderOf(createMarkSet(1), []), groupMarks(marks))], FullFault);
});
