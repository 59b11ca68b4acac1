import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetSilence, trustTime } from '../rules/lifetimes.ts';
import type { VerifierRecord } from '../storage/verifiers.ts';
import { hasApplied, isLive, lastAsOf, safeAt } from './fleet_member.ts';

const now = 1_800_000_000_000;
const trust = trustTime(300);

function verifier(changes: Partial<VerifierRecord> = {}): VerifierRecord {
  return {
    ...{ clientId: 'cli_1', instance: 'instance-1', name: 'records', version: '', open: true },
    ...{ connectedAt: now - 5000, seenAt: now - 1000, epoch: 'e1', seq: 7, asOf: now - 1000 },
    ...changes,
  };
}

test('one whose stream is open is waited for until it has been silent for 60 s', () => {
  assert.ok(isLive(verifier({ seenAt: now - fleetSilence + 1 }), now));
  assert.ok(!isLive(verifier({ seenAt: now - fleetSilence }), now));
  assert.ok(!isLive(verifier({ open: false }), now));
});

test('applied is what it said, of this epoch, up to this number; nothing said is nothing applied', () => {
  assert.ok(hasApplied(verifier(), { epoch: 'e1', seq: 7 }));
  assert.ok(!hasApplied(verifier(), { epoch: 'e1', seq: 8 }));
  assert.ok(!hasApplied(verifier({ seq: 99 }), { epoch: 'e2', seq: 1 }));
  assert.ok(!hasApplied(verifier({ epoch: null, seq: null }), { epoch: 'e1', seq: 0 }));
});

test('safe: a trust time after the last moment at which it can have heard us', () => {
  assert.equal(safeAt(verifier(), now, trust), now + trust);
  assert.equal(safeAt(verifier({ open: false, asOf: now - 9000 }), now, trust), now - 9000 + trust);
  const silent = verifier({ seenAt: now - fleetSilence - 9000 });
  assert.equal(lastAsOf(silent, now), now - 9000);
});

test('safe from a change: whoever has not applied it knows no time after it', () => {
  assert.equal(safeAt(verifier(), now, trust, now - 400), now - 400 + trust);
  const gone = verifier({ open: false, asOf: now - 9000 });
  assert.equal(safeAt(gone, now, trust, now - 400), now - 9000 + trust);
});

test('tokens that live longer are trusted longer, shorter ones not shorter than five minutes', () => {
  assert.equal(trustTime(30), 300_000);
  assert.equal(trustTime(3600), 3_600_000);
});
