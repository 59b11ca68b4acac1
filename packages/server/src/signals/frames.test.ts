import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Signal } from '../storage/signals.ts';
import { heartbeatFrame, parsePosition, positionOf, signalFrame, snapshotBody } from './frames.ts';

const signal: Signal = {
  seq: 7,
  tag: 'a-_Z0',
  kind: 'revoke',
  by: 'sub',
  value: 'usr_1',
  below: 3,
  until: 99,
};

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
    signalFrame('e1', signal),
    'id: e1-7-a-_Z0\nevent: revoke\ndata: {"by":"sub","value":"usr_1","below":3,"until":99}\n\n',
  );
  const forever = { ...signal, by: 'kid', below: null, until: null } as const;
  assert.match(signalFrame('e1', forever), /data: \{"by":"kid","value":"usr_1"\}\n/);
  assert.match(signalFrame('e1', { ...signal, kind: 'keys' }), /event: keys\ndata: \{\}\n/);
});

test('no value can end a frame early: line ends stay inside the JSON', () => {
  const frame = signalFrame('e1', { ...signal, value: 'x\n\nevent: keys\r\ndata: {}' });
  assert.equal(frame.split('\n').length, 5);
});

test('heartbeat and snapshot say up to when and up to which number', () => {
  assert.equal(heartbeatFrame(5, 7, 300), 'event: heartbeat\ndata: {"as_of":5,"seq":7,"max_life":300}\n\n');
  const head = { seq: 7, tag: 'x', asOf: 5 };
  const body = JSON.parse(snapshotBody({ issuer: 'i', epoch: 'e1', head, maxLife: 300, marks: [signal] }));
  assert.deepEqual(body, {
    ...{ iss: 'i', epoch: 'e1', seq: 7, position: 'e1-7-x', as_of: 5, max_life: 300 },
    marks: [{ kind: 'revoke', by: 'sub', value: 'usr_1', below: 3, until: 99 }],
  });
});
