// What a verifier knows and where it comes from: keys, marks, and how fresh they are. Two kinds with one face: fixed keys,
// which know no network and are never stale, and a remote issuer, whose key set is fetched and whose signals are followed.
// The judging is in verifier.ts; nothing here looks at a token.
import type { KeySet } from '../keys.ts';
import { documentUrl } from './addresses.ts';
import { createFreshness } from './freshness.ts';
import { createMarkSet, type Mark, type MarkSet } from './marks.ts';
import type { VerifierSettings } from './options.ts';
import { createRemoteJwkSet } from './remote_jwk_set.ts';
import { createSignals } from './signals.ts';
import { createStateWriter, type KeptState, readStateFile } from './state_file.ts';

export interface SignalsStatus {
  readonly connected: boolean;
  /** Milliseconds, the issuer's clock. */
  readonly asOf: number | undefined;
  /** Milliseconds since then; infinite before the first. */
  readonly staleForMs: number;
  /** Milliseconds by which this machine's clock seems to be ahead of the issuer's. */
  readonly clockOffsetMs: number;
  readonly epoch: string | undefined;
  readonly seq: number | undefined;
  readonly connects: number;
  readonly snapshots: number;
}

export interface Knowledge {
  readonly keys: KeySet | undefined;
  readonly marks: MarkSet;
  /** Keys are here, and a snapshot where signals are followed. */
  readonly known: boolean;
  readonly signals: SignalsStatus | undefined;
  readonly jwksFetches: number;
  readonly lastFault: string | undefined;
  /** Milliseconds, for a wall clock that says `wall`; never earlier than the last `as_of`. */
  clock(wall: number): number;
  /** Fresh enough to decide with. */
  holds(wall: number, sensitive: boolean): boolean;
  /** True when `kid` is known now, after at most one fetch. */
  find(kid: string): Promise<boolean>;
  /** The attempt under way to know anything at all; rejects when it fails, and at once when there is none. */
  wait(): Promise<void>;
  /** Resolves once `known`. */
  whenKnown(): Promise<void>;
  close(): void;
}

export interface KnowledgeEvents {
  readonly onMark: (mark: Mark) => void;
  /** A key is gone or changed: what was verified with it counts no longer. */
  readonly onWithdrawnKey: () => void;
}

export function createFixedKnowledge(keys: KeySet): Knowledge {
  return {
    keys,
    marks: createMarkSet(),
    known: true,
    signals: undefined,
    jwksFetches: 0,
    lastFault: undefined,
    clock: (wall) => wall,
    holds: () => true,
    find: async () => false,
    wait: async () => {},
    whenKnown: async () => {},
    close() {},
  };
}

const sweepInterval = 30_000;
const longestWait = 5_000;

export function createRemoteKnowledge(settings: VerifierSettings, events: KnowledgeEvents): Knowledge {
  const { address, issuer, fetch, now, monotonic, algorithms, stateFile } = settings;
  const marks = createMarkSet();
  const freshness = createFreshness(settings);
  const settled = Promise.withResolvers<void>();
  settled.promise.catch(() => {});
  let known = false;
  let starting: Promise<void> | undefined;

  const jwkSet = createRemoteJwkSet({
    url: documentUrl(address, '/.well-known/jwks.json'),
    fetch,
    monotonic,
    algorithms,
    onChange(_keys, withdrawn) {
      if (withdrawn) events.onWithdrawnKey();
      if (signals !== undefined) signals.start();
      else becomeKnown();
      writer?.touch();
    },
  });
  const signals = settings.signals
    ? createSignals({
        address,
        issuer,
        fetch,
        now,
        monotonic,
        algorithms,
        marks,
        freshness,
        keys: () => jwkSet.keys ?? new Map(),
        refreshKeys: () => jwkSet.refresh(),
        onMark(mark) {
          events.onMark(mark);
          writer?.touch();
        },
        onProgress() {
          becomeKnown();
          writer?.touch();
        },
      })
    : undefined;

  const becomeKnown = (): void => {
    known = true;
    settled.resolve();
  };

  const kept = (): KeptState | undefined => {
    const { keys } = jwkSet;
    const position = signals?.position;
    if (keys === undefined) return undefined;
    if (position === undefined || freshness.asOf === undefined) return { keys, signals: undefined };
    return {
      keys,
      signals: { position, asOf: freshness.asOf, maxLife: freshness.maxLife, marks: marks.list() },
    };
  };
  const writer = stateFile === undefined ? undefined : createStateWriter(stateFile, issuer, kept);

  const restore = (state: KeptState | undefined): void => {
    if (state === undefined) return;
    if (signals !== undefined && state.signals !== undefined) {
      const { position, asOf, maxLife } = state.signals;
      freshness.restored(asOf, maxLife);
      for (const mark of state.signals.marks) marks.add(mark, freshness.clock(now()));
      signals.restore(position);
      becomeKnown();
    }
    jwkSet.restore(state.keys);
  };

  const start = async (): Promise<void> => {
    await jwkSet.load();
    await signals?.load();
  };

  if (stateFile !== undefined) restore(readStateFile(stateFile, issuer, algorithms));
  jwkSet.start();
  const sweeper = setInterval(() => marks.sweep(freshness.clock(now())), sweepInterval);
  sweeper.unref();

  return {
    get keys() {
      return jwkSet.keys;
    },
    marks,
    get known() {
      return known;
    },
    get signals() {
      return signals && signalsStatus(signals, freshness, now());
    },
    get jwksFetches() {
      return jwkSet.fetches;
    },
    get lastFault() {
      return jwkSet.lastFault ?? signals?.lastFault ?? writer?.lastFault;
    },
    clock: freshness.clock,
    holds: signals === undefined ? () => true : freshness.holds,
    find: (kid) => jwkSet.find(kid),
    wait() {
      starting ??= within(longestWait, start()).finally(() => {
        starting = undefined;
      });
      return starting;
    },
    whenKnown: () => settled.promise,
    close() {
      settled.reject(new Error('closed'));
      clearInterval(sweeper);
      signals?.close();
      jwkSet.close();
      writer?.close();
    },
  };
}

function signalsStatus(
  signals: ReturnType<typeof createSignals>,
  freshness: ReturnType<typeof createFreshness>,
  wall: number,
): SignalsStatus {
  return {
    connected: signals.connected,
    asOf: freshness.asOf,
    staleForMs: freshness.age(wall),
    clockOffsetMs: freshness.offset,
    epoch: signals.position?.epoch,
    seq: signals.position?.seq,
    connects: signals.connects,
    snapshots: signals.snapshots,
  };
}

/** `work`, given up after `milliseconds`. */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('not in time')), milliseconds);
  timer.unref();
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
