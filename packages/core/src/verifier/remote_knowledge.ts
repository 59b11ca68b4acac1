// What is known of a remote issuer: the key set that is fetched, the signals that are followed, and the copy of both on disk. The parts
// are put together here and told of one another; each does its own work elsewhere.
import { documentUrl } from './addresses.ts';
import { within } from './deadline.ts';
import { createFreshness, type Freshness } from './freshness.ts';
import type { Knowledge, KnowledgeEvents, SignalsStatus } from './knowledge.ts';
import { createMarkSet, type MarkSet } from './marks.ts';
import type { VerifierSettings } from './options.ts';
import type { Reader } from './reader.ts';
import { createRemoteJwkSet, type RemoteJwkSet } from './remote_jwk_set.ts';
import { createSignals, type Signals } from './signals.ts';
import { createStateWriter, type PresentState, readStateFile, type StateWriter } from './state_file.ts';

interface Parts {
  readonly jwkSet: RemoteJwkSet;
  /** Undefined where they are not followed. */
  readonly signals: Signals | undefined;
  readonly marks: MarkSet;
  readonly freshness: Freshness;
  readonly writer: StateWriter | undefined;
  readonly arrival: Arrival;
}

export function createRemoteKnowledge(
  settings: VerifierSettings,
  reader: Reader,
  events: KnowledgeEvents,
): Knowledge {
  const parts = createParts(settings, reader, events);
  restore(parts, settings);
  parts.jwkSet.start();
  return knowledgeOf(parts, settings);
}

function createParts(settings: VerifierSettings, reader: Reader, events: KnowledgeEvents): Parts {
  const { address, issuer, signals: mode, stateFile } = settings;
  const marks = createMarkSet();
  const freshness = createFreshness(settings);
  const arrival = createArrival();
  const jwkSet = createRemoteJwkSet({
    ...settings,
    url: documentUrl(address, '/.well-known/jwks.json'),
    headers: reader.headers,
    onChange(_keys, withdrawn) {
      if (withdrawn) events.onWithdrawnKey();
      if (signals === undefined) arrival.settle();
      else signals.start();
      writer?.hurry();
    },
  });
  let heardAt: string | undefined;
  const followed = {
    ...settings,
    ...{ address: settings.signalsAddress, reader, marks, freshness, onMark: events.onMark },
    keys: () => jwkSet.keys ?? new Map(),
    refreshKeys: () => jwkSet.refresh(),
    onProgress() {
      arrival.settle();
      const at = signals?.position?.id;
      if (at === heardAt) writer?.touch();
      else writer?.hurry();
      heardAt = at;
    },
  };
  const signals = mode === 'off' ? undefined : createSignals({ ...followed, mode });
  const present = (): PresentState | undefined => presentState({ jwkSet, signals, marks, freshness });
  const writer = stateFile === undefined ? undefined : createStateWriter(stateFile, issuer, present);
  return { jwkSet, signals, marks, freshness, writer, arrival };
}

/** What an earlier run kept on disk. */
function restore(parts: Parts, { stateFile, issuer, algorithms }: VerifierSettings): void {
  const kept = stateFile === undefined ? undefined : readStateFile(stateFile, issuer, algorithms);
  if (kept === undefined) return;
  const { signals, marks, freshness, jwkSet, arrival } = parts;
  if (signals !== undefined && kept.signals !== undefined) {
    const { position, asOf, maxLife, groups } = kept.signals;
    freshness.restored(asOf, maxLife);
    // Where they are too many, the snapshot will say so as well.
    if (marks.load(groups, freshness.issuerClock()) === 'ok') {
      signals.restore(position);
      arrival.settle();
    }
  }
  jwkSet.restore(kept.keys);
}

function presentState(
  parts: Pick<Parts, 'jwkSet' | 'signals' | 'marks' | 'freshness'>,
): PresentState | undefined {
  const { keys } = parts.jwkSet;
  if (keys === undefined) return undefined;
  const position = parts.signals?.position;
  const { asOf, maxLife } = parts.freshness;
  if (position === undefined || asOf === undefined) return { keys, signals: undefined };
  return { keys, signals: { position, asOf, maxLife, marks: parts.marks.list() } };
}

/** A bounded part of the marks is looked at each time. */
const sweepInterval = 1_000;
const longestWait = 5_000;

function knowledgeOf(parts: Parts, { now }: VerifierSettings): Knowledge {
  const { jwkSet, signals, marks, freshness, writer, arrival } = parts;
  const sweeper = setInterval(() => marks.sweep(freshness.issuerClock()), sweepInterval);
  sweeper.unref();
  let starting: Promise<void> | undefined;
  const start = async (): Promise<void> => {
    await jwkSet.load();
    await signals?.load();
  };

  return {
    get keys() {
      return jwkSet.keys;
    },
    marks,
    get known() {
      return arrival.settled;
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
    whenKnown: () => arrival.promise,
    close() {
      arrival.giveUp();
      clearInterval(sweeper);
      signals?.close();
      jwkSet.close();
      writer?.close();
    },
  };
}

function signalsStatus(signals: Signals, freshness: Freshness, wall: number): SignalsStatus {
  const { position, acknowledged, connected, connects, snapshots } = signals;
  return {
    connected,
    asOf: freshness.asOf,
    staleForMs: freshness.age(wall),
    clockOffsetMs: freshness.offset,
    epoch: position?.epoch,
    seq: position?.seq,
    position: position?.id,
    acknowledged,
    connects,
    snapshots,
  };
}

/** The moment from which on something is known. */
interface Arrival {
  readonly settled: boolean;
  readonly promise: Promise<void>;
  settle(): void;
  giveUp(): void;
}

function createArrival(): Arrival {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => {});
  let settled = false;
  return {
    get settled() {
      return settled;
    },
    promise,
    settle() {
      settled = true;
      resolve();
    },
    giveUp: () => reject(new Error('closed')),
  };
}
