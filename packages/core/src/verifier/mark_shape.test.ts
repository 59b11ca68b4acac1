import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMark, parseMarkGroup } from './mark_shape.ts';

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

test('a group is one only if all of it is', () => {
  const good = { kind: 'revoke', by: 'sid', values: ['x', 'y'], until: [1, 2] };
  assert.deepEqual(parseMarkGroup(good), good);
  assert.ok(parseMarkGroup({ kind: 'revoke', by: 'kid', values: [] }));
  assert.ok(parseMarkGroup({ kind: 'stale', by: 'role', values: ['x'], below: [1] }));
  const bad: unknown[] = [
    null,
    [good],
    { ...good, kind: 'keys' },
    { ...good, by: 'constructor' },
    { ...good, values: 'xy' },
    { ...good, values: ['x', ''] },
    { ...good, values: ['x', 1] },
    { ...good, until: [1] },
    { ...good, until: [1, 2, 3] },
    { ...good, until: [1, -2] },
    { ...good, until: 5 },
    { ...good, below: [1, 1] },
    { kind: 'stale', by: 'role', values: ['x'] },
    { kind: 'stale', by: 'sub', values: ['x'], below: ['1'] },
    { kind: 'stale', by: 'sub', values: ['x', 'y'], below: [1] },
  ];
  for (const value of bad) assert.equal(parseMarkGroup(value), undefined, JSON.stringify(value));
});
