import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Attestation } from './attestation.ts';
import { createBatch } from './batch.ts';
import { type Frame, StreamFault } from './event_stream.ts';

const applied = { epoch: 'e', seq: 7, id: 'e-7-t' };
const event = (seq: number, name = 'revoke', data = `{"by":"sid","value":"s${seq}"}`): Frame => ({
  id: `e-${seq}-t`,
  event: name,
  data,
});
const events = [event(8), event(9, 'keys', '{}'), event(10, 'stale', '{"by":"sub","value":"ä","below":3}')];

function attest(said: Partial<Attestation> = {}, of: readonly Frame[] = events): Attestation {
  const digest = createHash('sha256');
  for (const { id, event: name, data } of of) digest.update(`${id}\n${name}\n${data}\n`, 'utf8');
  const seq = 7 + of.length;
  return { epoch: 'e', from: 7, seq, asOf: 1, maxLife: 300, sha256: digest.digest('base64url'), ...said };
}

function held(of: readonly Frame[] = events) {
  const batch = createBatch(applied);
  for (const one of of) batch.hold(one);
  return batch;
}

test('a batch that is closed by what was signed: the changes in order, and where they end', () => {
  assert.deepEqual(held().close(attest()), {
    changes: [
      { kind: 'revoke', by: 'sid', value: 's8' },
      'keys',
      { kind: 'stale', by: 'sub', value: 'ä', below: 3 },
    ],
    position: { epoch: 'e', seq: 10, id: 'e-10-t' },
  });
  assert.deepEqual(held([]).close(attest({}, [])), { changes: [], position: applied });
});

test('any other closing is refused', () => {
  const wrong: Partial<Attestation>[] = [
    { epoch: 'f' },
    { from: 6 },
    { from: 8 },
    { from: undefined },
    { seq: 9 },
    { seq: 11 },
    { sha256: attest({}, [...events].reverse()).sha256 },
    { sha256: attest({}, []).sha256 },
  ];
  for (const said of wrong)
    assert.throws(() => held().close(attest(said)), StreamFault, JSON.stringify(said));
  assert.throws(() => held(events.slice(0, 2)).close(attest()), StreamFault);
});

test('an event that is not the next one, or not known here, or one too many, is refused', () => {
  const wrong: Frame[] = [
    event(7),
    event(9),
    { ...event(8), id: 'f-8-t' },
    { ...event(8), id: 'e-8-' },
    { ...event(8), id: 'e-8-t\u00e4' },
    { ...event(8), id: '' },
    { ...event(8), id: undefined },
    event(8, 'heartbeat', '{}'),
    event(8, 'something', '{}'),
    event(8, 'revoke', '{"by":"planet","value":"x"}'),
    event(8, 'revoke', '{"by":"sid","value":"x","value":"y"}'),
    event(8, 'revoke', 'null'),
    event(8, 'keys', 'x'),
  ];
  for (const one of wrong) assert.throws(() => held([one]), StreamFault, JSON.stringify(one));
  const many = Array.from({ length: 1_001 }, (_, at) => event(8 + at));
  assert.equal(held(many.slice(0, 1_000)).close(attest({}, many.slice(0, 1_000))).changes.length, 1_000);
  assert.throws(() => held(many), StreamFault);
});
