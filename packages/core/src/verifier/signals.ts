// How a verifier learns what has changed: the parts of the reader side of docs/protocol/signals.md, put together. What comes by stream or
// snapshot is verified (attestation.ts), applied (applied.ts), and acknowledged once it is in force (acknowledge.ts).
import type { Algorithm } from '../jwa.ts';
import type { KeySet } from '../keys.ts';
import { type Acknowledger, createAcknowledger } from './acknowledge.ts';
import { documentUrl } from './addresses.ts';
import { type Applied, createApplied } from './applied.ts';
import type { Trust } from './attestation.ts';
import type { Fetch } from './bounded_fetch.ts';
import { type CatchUp, createCatchUp } from './catch_up.ts';
import type { Follower } from './follower.ts';
import type { Freshness } from './freshness.ts';
import { createKeyRefresh } from './key_refresh.ts';
import type { Mark, MarkSet } from './marks.ts';
import { createPoll } from './poll.ts';
import type { Position } from './position.ts';
import type { Reader } from './reader.ts';
import { createStream } from './stream.ts';

export interface SignalsOptions {
  /** Where the signals are read. */
  readonly address: string;
  readonly issuer: string;
  readonly reader: Reader;
  readonly mode: 'stream' | 'poll';
  /** Milliseconds. */
  readonly pollInterval: number;
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly algorithms: readonly Algorithm[];
  readonly marks: MarkSet;
  readonly freshness: Freshness;
  readonly keys: () => KeySet;
  /** Fetches the key set again, past its cool-down. */
  readonly refreshKeys: () => Promise<void>;
  /** Undefined while nobody listens. */
  readonly onMark: () => ((mark: Mark) => void) | undefined;
  /** Told after each snapshot and heartbeat: everything up to now is known. */
  readonly onProgress: () => void;
}

export interface Signals {
  readonly position: Position | undefined;
  readonly acknowledged: number | undefined;
  readonly connected: boolean;
  readonly snapshots: number;
  readonly connects: number;
  readonly lastFault: string | undefined;
  /** Begins to follow; needs keys. */
  start(): void;
  /** Goes on where an earlier run stopped; its marks are in the set already. */
  restore(position: Position): void;
  /** Resolves when a snapshot has been applied; rejects when the attempt under way fails, or at once between attempts. */
  load(): Promise<void>;
  close(): void;
}

export function createSignals(options: SignalsOptions): Signals {
  const { freshness, marks, refreshKeys, reader } = options;
  const { signal, abort } = createEnd();
  const trust: Trust = {
    ...options,
    isRevokedKey: (kid) => marks.hit({}, kid, freshness.issuerClock()) === 'revoked',
  };
  const tell = (): void => {
    if (!keyRefresh.pending && applied.position !== undefined) acknowledger?.moved(applied.position);
  };
  const keyRefresh = createKeyRefresh({ refreshKeys, onDone: tell, signal });
  const applied = createApplied({
    adder: { marks, clock: freshness.issuerClock, onNew: options.onMark },
    freshness,
    onKeys: keyRefresh.want,
    onProgress() {
      tell();
      options.onProgress();
    },
  });
  const url = documentUrl(options.address, '/signals/snapshot');
  const headers = reader.signalHeaders;
  const catchUp = createCatchUp({ ...options, url, headers, trust, applied, refreshKeys, signal });
  // The fleet are those with an open stream: of a reader that polls the issuer would not know what to think.
  const acknowledges = reader.registered && options.mode === 'stream';
  const acknowledger = acknowledges
    ? createSignalsAcknowledger(options, () => follower.reconnect())
    : undefined;
  const follower = createFollower(options, { trust, applied, catchUp, acknowledger, signal });
  return {
    get position() {
      return applied.position;
    },
    get acknowledged() {
      return acknowledger?.acknowledged;
    },
    get connected() {
      return follower.connected;
    },
    get snapshots() {
      return catchUp.snapshots;
    },
    get connects() {
      return follower.connects;
    },
    get lastFault() {
      return follower.lastFault ?? acknowledger?.lastFault;
    },
    start: follower.start,
    restore: applied.restore,
    load: catchUp.first,
    close() {
      abort();
      acknowledger?.leave();
    },
  };
}

function createEnd(): { readonly signal: AbortSignal; abort(): void } {
  const end = new AbortController();
  return { signal: end.signal, abort: () => end.abort() };
}

function createSignalsAcknowledger(options: SignalsOptions, onUnknown: () => void): Acknowledger {
  const { address, fetch, monotonic, reader } = options;
  return createAcknowledger({
    url: documentUrl(address, '/signals/applied'),
    fetch,
    headers: reader.signalHeaders,
    instance: reader.instance,
    monotonic,
    onUnknown,
  });
}

interface Parts {
  readonly trust: Trust;
  readonly applied: Applied;
  readonly catchUp: CatchUp;
  readonly acknowledger: Acknowledger | undefined;
  readonly signal: AbortSignal;
}

function createFollower(options: SignalsOptions, parts: Parts): Follower {
  const { acknowledger, catchUp, signal } = parts;
  if (options.mode === 'poll') return createPoll({ catchUp, interval: options.pollInterval, signal });
  return createStream({
    ...options,
    ...parts,
    url: documentUrl(options.address, '/signals'),
    headers: options.reader.signalHeaders,
    age: () => options.freshness.age(options.now()),
    onOpen: () => acknowledger?.open(),
    onClose: () => acknowledger?.pause(),
    onAsk: () => acknowledger?.asked(),
  });
}
