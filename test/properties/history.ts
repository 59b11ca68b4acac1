// What may happen to a verifier and its issuer, as data: a history is a list of steps that fast-check makes up and, when one of them
// shows a fault, cuts down to the few that matter.
import fc from 'fast-check';
import { type SnapshotFault, type StreamFault, snapshotFaults, streamFaults } from './model_wire.ts';
import type { MarkPlan } from './universe.ts';

export const mangles = [
  'drop',
  'duplicate',
  'swap',
  'corrupt',
  'truncate',
  'alter',
  'suppress',
  'insert',
  'unknown event',
  'unknown signal',
  'reset',
  'long',
  'lie',
] as const;
export type Mangle = (typeof mangles)[number];

export const forgeries = ['impostor', 'stranger', 'stolen', 'wrong typ', 'wrong iss', 'unsigned'] as const;
export type ForgeryKind = (typeof forgeries)[number];

export type Step =
  /** Changes are committed; `send`: their events go out ahead of the heartbeat. */
  | { readonly do: 'commit'; readonly marks: readonly MarkPlan[]; readonly send: boolean }
  | { readonly do: 'beat' }
  /** Seconds, for the issuer and for the verifier: on a machine that sleeps only its wall clock moves, on one that is set back only the other. */
  | { readonly do: 'pass'; readonly seconds: number; readonly clocks: 'both' | 'wall' | 'monotonic' }
  /** Seconds, forward or back, for the verifier's wall clock alone. */
  | { readonly do: 'jump'; readonly seconds: number }
  /** The next batch arrives changed. */
  | { readonly do: 'mangle'; readonly how: Mangle; readonly at: number }
  /** Something that was said before is said again, counted from the last. */
  | { readonly do: 'replay'; readonly back: number; readonly count: number }
  | { readonly do: 'forge'; readonly how: ForgeryKind; readonly empty: boolean }
  | { readonly do: 'cut'; readonly how: 'end' | 'fail' | 'mute' }
  /** What the next requests get, after a cut. */
  | {
      readonly do: 'answer';
      readonly snapshot: readonly SnapshotFault[];
      readonly stream: readonly StreamFault[];
      readonly jwks: boolean;
    }
  /** The longest token life that the issuer announces, in seconds. */
  | { readonly do: 'life'; readonly seconds: number }
  | { readonly do: 'rotate'; readonly withdraw: boolean }
  /** `listed`: the key set goes on showing the key, as a cache would. */
  | { readonly do: 'emergency'; readonly listed: boolean }
  /** The database comes back from a backup, without the last `lost` signals. */
  | { readonly do: 'restore'; readonly lost: number }
  | { readonly do: 'restart'; readonly file: 'kept' | 'lost' | 'torn' }
  /** Real milliseconds, in which the verifier may connect again. */
  | { readonly do: 'wait'; readonly milliseconds: number }
  /** All faults end. */
  | { readonly do: 'heal' };

export interface History {
  readonly poll: boolean;
  readonly stateFile: boolean;
  readonly cache: boolean;
  /** Seconds by which the verifier's clock is ahead of the issuer's. */
  readonly skew: number;
  readonly steps: readonly Step[];
}

const markPlan: fc.Arbitrary<MarkPlan> = fc.record({
  by: fc.constantFrom('jti', 'jti', 'sid', 'sub', 'sub', 'role', 'client'),
  stale: fc.boolean(),
  index: fc.nat(19),
  below: fc.integer({ min: 0, max: 4 }),
  life: fc.constantFrom(undefined, 20, 90, 400, 500, 4_000),
});

const step = (poll: boolean): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('commit' as const),
        marks: fc.array(markPlan, { minLength: 1, maxLength: 3 }),
        send: fc.boolean(),
      }),
    },
    { weight: 6, arbitrary: fc.constant({ do: 'beat' as const }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('pass' as const),
        seconds: fc.constantFrom(0.4, 1.5, 3, 5.5, 8, 12, 31, 62, 280, 320),
        clocks: fc.constantFrom('both', 'both', 'both', 'wall', 'monotonic'),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('jump' as const),
        seconds: fc.constantFrom(-600, -70, -8, 8, 70, 600),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('mangle' as const),
        how: fc.constantFrom(...mangles),
        at: fc.nat(400),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('replay' as const),
        back: fc.oneof(fc.nat(2), fc.nat(40)),
        count: fc.nat(3),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('forge' as const),
        how: fc.constantFrom(...forgeries),
        empty: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('cut' as const),
        how: fc.constantFrom('end', 'fail', 'mute'),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('answer' as const),
        snapshot: fc.array(fc.constantFrom(...snapshotFaults), { maxLength: poll ? 1 : 2 }),
        stream: fc.array(fc.constantFrom(...streamFaults), { maxLength: 2 }),
        jwks: fc.nat(19).map((n) => n === 0),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('life' as const), seconds: fc.constantFrom(60, 300, 900) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('rotate' as const), withdraw: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('emergency' as const), listed: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const), lost: fc.nat(4) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('restart' as const),
        file: fc.constantFrom('kept', 'kept', 'lost', 'torn'),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('wait' as const),
        milliseconds: fc.integer({ min: 5, max: 400 }),
      }),
    },
    { weight: poll ? 1 : 4, arbitrary: fc.constant({ do: 'heal' as const }) },
  );

/** One in eight asks for the snapshot twice a second of real time instead of following the stream: it takes longer. */
export const anyHistory: fc.Arbitrary<History> = fc
  .nat(7)
  .map((n) => n === 7)
  .chain((poll) =>
    fc.record({
      poll: fc.constant(poll),
      stateFile: fc.boolean(),
      cache: fc.boolean(),
      skew: fc.constantFrom(0, 0, -25, 25),
      steps: fc.array(step(poll), { minLength: 6, maxLength: poll ? 16 : 34, size: 'max' }),
    }),
  );
