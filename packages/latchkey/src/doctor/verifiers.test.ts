import assert from 'node:assert/strict';
import test from 'node:test';
import type { VerifierView } from '../admin/answers.ts';
import { judgeVerifiers } from './verifiers.ts';

const now = Date.parse('2026-11-24T00:10:00Z');
const at = (seconds: number) => new Date(now + seconds * 1000).toISOString();

function verifier(changed: Partial<VerifierView> = {}): VerifierView {
  return {
    name: 'gateway',
    client_id: 'cli_1',
    instance: 'abcdefghijkl',
    version: 'latchkey-gateway/0.1.0',
    connected: true,
    connected_at: at(-600),
    seen_at: at(-1),
    epoch: 'e',
    seq: 7,
    lag: 0,
    safe_at: at(299),
    ...changed,
  };
}

test('a fleet that keeps up is one good line', () => {
  const [finding, ...more] = judgeVerifiers([verifier(), verifier({ lag: 2 })], now);
  assert.deepEqual([finding?.state, more], ['good', []]);
  assert.equal(judgeVerifiers([], now)[0]?.state, 'good');
});

test('who lags, is away or is past its time is named, with what to do', () => {
  const findings = judgeVerifiers(
    [
      verifier({ lag: 3, seen_at: at(-20) }),
      verifier({ name: 'away', connected: false }),
      verifier({ name: 'late\u001b[2J', connected: false, safe_at: at(-1) }),
      verifier({ name: 'well' }),
    ],
    now,
  );
  assert.deepEqual(
    findings.map(({ state }) => state),
    ['look', 'look', 'bad'],
  );
  assert.match(findings[0]?.says ?? '', /^gateway abcdefgh is 3 changes behind/);
  assert.match(findings[1]?.says ?? '', /^away abcdefgh is not connected/);
  assert.match(findings[2]?.says ?? '', /^late\\u001b\[2J abcdefgh was last heard of/);
  assert.ok(findings.every(({ mend }) => mend !== undefined));
});
