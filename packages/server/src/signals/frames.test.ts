import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Signal } from '../storage/signals.ts';
import { batchOf, heartbeatFrame, parsePosition, positionOf, snapshotPieces } from './frames.ts';

const signal: Signal = {
  seq: 7,
  tag: 'a-_Z0',
  kind: 'revoke',
  by: 'sub',
  value: 'usr_1',
  below: 3,
  until: 99,
};
const framesOf = (one: Signal) => batchOf('e1', one.seq - 1, [one]).frames;
const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');

test('a position is read back as it was written, dashes in the tag and all', () => {
  assert.deepEqual(parsePosition(positionOf('e1', signal)), { epoch: 'e1', seq: 7, tag: 'a-_Z0' });
});

test('what is no position is none', () => {
  for (const text of [
    '',
    'e1',
    'e1-7',
    'e1-7-',
    'e1--x',
    '-7-x',
    'e1-7.5-x',
    'e1-x-7',
    `e1-${'9'.repeat(16)}-x`,
    'e 1-7-x',
    `e1-7-${'x'.repeat(17)}`,
  ])
    assert.equal(parsePosition(text), undefined, text);
});

test('a frame is three lines and an empty one; members that are nothing are left out', () => {
  assert.equal(
    framesOf(signal),
    'id: e1-7-a-_Z0\nevent: revoke\ndata: {"by":"sub","value":"usr_1","below":3,"until":99}\n\n',
  );
  const forever = { ...signal, by: 'kid', below: null, until: null } as const;
  assert.match(framesOf(forever), /data: \{"by":"kid","value":"usr_1"\}\n/);
  assert.match(framesOf({ ...signal, kind: 'keys' }), /event: keys\ndata: \{\}\n/);
});

test('no value can end a frame early: line ends stay inside the JSON', () => {
  assert.equal(framesOf({ ...signal, value: 'x\n\nevent: keys\r\ndata: {}' }).split('\n').length, 5);
});

test('a batch says where it begins and ends, and digests id, name and data of each event', () => {
  const keys = { ...signal, seq: 8, tag: 'b', kind: 'keys', by: null, value: null } as const;
  const batch = batchOf('e1', 6, [signal, keys]);
  assert.deepEqual([batch.from, batch.seq], [6, 8]);
  const said =
    'e1-7-a-_Z0\nrevoke\n{"by":"sub","value":"usr_1","below":3,"until":99}\n' + 'e1-8-b\nkeys\n{}\n';
  assert.equal(batch.sha256, sha256(said));
  assert.deepEqual(batchOf('e1', 6, []), { from: 6, seq: 6, frames: '', sha256: sha256('') });
});

test('a heartbeat shows what is signed, and the signature', () => {
  const statement = { iss: 'i', epoch: 'e1', from: 6, seq: 7, as_of: 5, max_life: 300, sha256: 'x' };
  assert.equal(
    heartbeatFrame(statement, 'a.b.c'),
    'event: heartbeat\ndata: {"as_of":5,"seq":7,"max_life":300,"signature":"a.b.c"}\n\n',
  );
});

test('the snapshot: groups in columns, whatever the pieces', () => {
  const head = { iss: 'i"', epoch: 'e1', seq: 7, position: 'e1-7-x' };
  const values = Array.from({ length: 10_000 }, (_, i) => `v"${i}`);
  const groups = [
    { kind: 'revoke', by: 'kid', values: ['k1'] },
    { kind: 'stale', by: 'sub', values, below: values.map((_, i) => i), until: values.map((_, i) => 9 * i) },
  ];
  const pieces = [...snapshotPieces(head, groups)];
  assert.ok(pieces.length > 8);
  assert.deepEqual(JSON.parse(pieces.join('')), { ...head, marks: groups });
  assert.deepEqual(JSON.parse([...snapshotPieces(head, [])].join('')), { ...head, marks: [] });
});
