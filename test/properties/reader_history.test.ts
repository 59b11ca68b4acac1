// The rules of docs/protocol/signals.md against the real verifier, over random histories: whatever is cut, lost, repeated, reordered,
// changed, forged or restored, nothing is accepted that the issuer has taken back by the verifier's own account, nothing is
// refused that nobody took back, and when the faults end everything is in force. LATCHKEY_HISTORIES plays more of
// them, LATCHKEY_SEED others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runHistories } from '../support/signal_history.ts';
import type { Step } from './history.ts';
import { playHistory, type Tally } from './play.ts';

test('over random histories: no wrong accept, no wrong refusal, nothing missed after the heal', async () => {
  const count = Number(process.env['LATCHKEY_HISTORIES'] ?? 64);
  const seed = Number(process.env['LATCHKEY_SEED'] ?? 7);
  const report = await runHistories(count, seed, { shrink: true });
  assert.equal(report.counterexample, undefined, report.counterexample);
  assert.deepEqual([report.wrongAccepts, report.wrongRefusals], [0, 0]);
  assert.equal(report.histories, count);
  // Of the answers that there are, every one was met.
  const met = Object.keys(report.answers).sort();
  assert.deepEqual(
    met,
    ['accepted', 'expired', 'revoked', 'signals_stale', 'stale', 'unavailable', 'unknown_key'],
    JSON.stringify(report.answers),
  );
});

const heal: Step = { do: 'heal' };

/** What random histories have found, for ever. */
const findings: Readonly<Record<string, readonly Step[]>> = {
  'a key is withdrawn between the first key set and the first snapshot': [
    { do: 'answer', snapshot: ['broken', 'broken'], stream: [], jwks: false },
    { do: 'restart', file: 'lost' },
    { do: 'rotate', withdraw: true },
    heal,
  ],
  'a mark comes while the clock is ten minutes ahead, and the clock is set right': [
    { do: 'jump', seconds: 600 },
    {
      do: 'commit',
      marks: [{ by: 'jti', stale: false, index: 1, below: 0, life: 500 }],
      send: false,
    },
    heal,
    { do: 'jump', seconds: -600 },
    heal,
  ],
};

for (const [name, steps] of Object.entries(findings)) {
  test(`found before: ${name}`, async () => {
    const tally: Tally = { histories: 0, steps: 0, decisions: 0, answers: {}, played: {} };
    await playHistory({ poll: false, stateFile: false, cache: false, skew: 0, steps }, tally);
    assert.equal(tally.histories, 1);
  });
}
