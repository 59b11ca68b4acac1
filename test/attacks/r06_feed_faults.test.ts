// R06 (ASVS 7.4.1, 12.3.5): the feed of revocations is cut, split, lost, repeated, reordered, changed, replayed or forged, one fault
// after the other. Nothing is forged into a verifier, nothing that it knew is forgotten, and after the fault nothing is missing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { forgeries, type History, mangles, type Step } from '../properties/history.ts';
import { snapshotFaults, streamFaults } from '../properties/model_wire.ts';
import { playHistory, type Tally } from '../properties/play.ts';
import type { MarkPlan } from '../properties/universe.ts';

const mark = (index: number): MarkPlan => ({ by: 'jti', stale: false, index, below: 0, life: undefined });
const commit = (...indices: number[]): Step => ({ do: 'commit', marks: indices.map(mark), send: false });
const beat: Step = { do: 'beat' };
const heal: Step = { do: 'heal' };

/** Each step is followed by a look at all tokens: the judge is the model of the rules in test/properties. */
async function play(steps: readonly Step[], changes: Partial<History> = {}): Promise<Tally> {
  const tally: Tally = { histories: 0, steps: 0, decisions: 0, answers: {}, played: {} };
  await playHistory({ poll: false, stateFile: false, cache: true, skew: 0, ...changes, steps }, tally);
  return tally;
}

/** Something is known, the fault comes while something new is said, and later something else is. */
const around = (...fault: readonly Step[]): Step[] => [
  commit(0, 1),
  beat,
  commit(2, 3, 4),
  ...fault,
  commit(5),
  beat,
  heal,
  commit(6),
  beat,
  heal,
];

describe('R06', { concurrency: true }, () => {
  it('each fault of the stream', async () => {
    const faults: (readonly Step[])[] = [
      ...mangles.flatMap((how) => [0, 1, 2, 3, 150, 333].map((at): Step[] => [{ do: 'mangle', how, at }])),
      ...forgeries.flatMap((how) => [true, false].map((empty): Step[] => [{ do: 'forge', how, empty }])),
      [{ do: 'replay', back: 40, count: 3 }],
      [{ do: 'replay', back: 1, count: 0 }],
      [beat, { do: 'replay', back: 40, count: 40 }],
      // A heartbeat that was heard makes nobody fresh again.
      [beat, { do: 'pass', seconds: 12, clocks: 'monotonic' }, { do: 'replay', back: 0, count: 0 }],
      ...(['end', 'fail', 'mute'] as const).map((how): Step[] => [{ do: 'cut', how }]),
      ...streamFaults.map((fault): Step[] => [{ do: 'answer', snapshot: [], stream: [fault], jwks: false }]),
    ];
    await Promise.all(faults.map((fault) => play(around(...fault))));
  });

  it('each fault of the snapshot, behind a hole in the stream', async () => {
    await Promise.all(
      snapshotFaults.map((fault) =>
        play(
          around(
            { do: 'answer', snapshot: [fault], stream: [], jwks: false },
            { do: 'wait', milliseconds: 500 },
            { do: 'mangle', how: 'drop', at: 0 },
            { do: 'wait', milliseconds: 500 },
          ),
        ),
      ),
    );
  });

  it('a hundred cuts with something said in each: 0 missed', async () => {
    const cuts = Array.from({ length: 5 }, (_, i): Step[] => [
      commit(i),
      beat,
      { do: 'cut', how: i % 2 === 0 ? 'end' : 'fail' },
      commit(i + 10),
      heal,
    ]);
    const tallies = await Promise.all(Array.from({ length: 20 }, () => play(cuts.flat())));
    assert.ok(tallies.every(({ histories }) => histories === 1));
  });

  it('each fault of the snapshot, for one that only ever looks at snapshots', async () => {
    await Promise.all(
      snapshotFaults.map((fault) =>
        play(
          [
            commit(0, 1),
            heal,
            commit(2, 3, 4),
            { do: 'answer', snapshot: [fault], stream: [], jwks: false },
            { do: 'wait', milliseconds: 700 },
            commit(5),
            heal,
          ],
          { poll: true },
        ),
      ),
    );
  });

  for (const listed of [true, false]) {
    it(`a key that was stolen and revoked signs nothing any more, ${listed ? 'though' : 'and not'} in the set`, async () => {
      const steps: Step[] = [
        commit(0),
        beat,
        { do: 'emergency', listed },
        heal,
        { do: 'forge', how: 'stolen', empty: false },
        heal,
        { do: 'forge', how: 'stolen', empty: true },
        { do: 'answer', snapshot: ['revoked', 'revoked'], stream: [], jwks: false },
        { do: 'mangle', how: 'reset', at: 0 },
        { do: 'wait', milliseconds: 500 },
        heal,
      ];
      await Promise.all([play(steps), play(steps, { stateFile: true }), play(steps, { poll: true })]);
    });
  }
});
