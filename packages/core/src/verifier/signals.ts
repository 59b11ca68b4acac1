// The client of `GET <issuer>/signals`: the snapshot first, then the stream from the snapshot's position, for as long as the verifier
// lives. Every frame must be the next number of the same epoch; a gap, a replay, another epoch, `reset` or anything that
// cannot be understood means: forget nothing, take the snapshot. `as_of` moves on only while nothing is missing, so
// whoever cannot follow becomes stale by itself. Silence of 6 s is a cut, and cuts are mended with jitter.
import { setTimeout as pause } from 'node:timers/promises';
import type { Algorithm } from '../jwa.ts';
import type { KeySet } from '../keys.ts';
import { parseStrictJson } from '../strict_json.ts';
import { documentUrl } from './addresses.ts';
import { type Fetch, FetchFault, openStream } from './bounded_fetch.ts';
import { createFrameReader, type Frame, StreamFault } from './event_stream.ts';
import type { Freshness } from './freshness.ts';
import { type Mark, type MarkSet, parseMark } from './marks.ts';
import { fetchSnapshot, isPosition, type Snapshot, SnapshotFault } from './snapshot.ts';

export interface SignalsOptions {
  /** Where the issuer is reached. */
  readonly address: string;
  readonly issuer: string;
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly algorithms: readonly Algorithm[];
  readonly marks: MarkSet;
  readonly freshness: Freshness;
  readonly keys: () => KeySet;
  /** Fetches the key set again: told of a `keys` signal, or a snapshot was signed with a key that is not known here. */
  readonly refreshKeys: () => Promise<void>;
  readonly onMark: (mark: Mark) => void;
  /** Told after each snapshot and heartbeat: everything up to now is known. */
  readonly onProgress: () => void;
}

/** Where in the sequence we are. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
  readonly id: string;
}

export interface Signals {
  readonly position: Position | undefined;
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

/** What we hold is not complete: only a snapshot can help. */
class Gap extends StreamFault {}

const silence = 6_000;
const watchInterval = 250;
const connectDeadline = 5_000;
const longestAbsence = 300_000;
const epochTolerance = 60_000;

export function createSignals(options: SignalsOptions): Signals {
  const { marks, freshness, now, monotonic } = options;
  const closed = new AbortController();
  let position: Position | undefined;
  let complete = false;
  let running = false;
  let connected = false;
  let loading: Promise<void> | undefined;
  let failures = 0;
  let snapshots = 0;
  let connects = 0;
  let heartbeatAt = 0;
  let lastFault: string | undefined;

  const addMark = (mark: Mark): void => {
    const clock = freshness.clock(now());
    let added = marks.add(mark, clock);
    if (added === 'full' && marks.sweep(clock) > 0) added = marks.add(mark, clock);
    if (added === 'full') throw new Gap('there are more marks than this verifier holds');
    if (added === 'new') options.onMark(mark);
  };

  const applySnapshot = (snapshot: Snapshot): void => {
    refuseOlder(snapshot, position, freshness.asOf);
    for (const mark of snapshot.marks) addMark(mark);
    position = { epoch: snapshot.epoch, seq: snapshot.seq, id: snapshot.position };
    complete = true;
    // What was missed may have been a `keys` signal.
    if (snapshots > 0) void options.refreshKeys().catch(() => {});
    snapshots += 1;
    freshness.heard(snapshot.asOf, snapshot.maxLife);
    options.onProgress();
  };

  const takeSnapshot = async (): Promise<void> => {
    try {
      const { issuer, fetch, algorithms } = options;
      const url = documentUrl(options.address, '/signals/snapshot');
      const isRevokedKey = (kid: string): boolean => marks.hit({}, kid, freshness.clock(now())) === 'revoked';
      const keys = options.keys();
      applySnapshot(
        await fetchSnapshot({ url, issuer, fetch, algorithms, keys, isRevokedKey, signal: closed.signal }),
      );
    } catch (fault) {
      if (fault instanceof SnapshotFault && fault.unknownKey) await options.refreshKeys().catch(() => {});
      throw fault;
    }
  };

  const load = (): Promise<void> => {
    loading ??= takeSnapshot().finally(() => {
      loading = undefined;
    });
    return loading;
  };

  const positionAfter = (frame: Frame): Position => {
    if (position === undefined) throw new Gap('no position is known');
    const { epoch, seq } = position;
    if (!isPosition(frame.id, epoch, seq + 1)) throw new Gap('the frame is not the next one');
    return { epoch, seq: seq + 1, id: frame.id };
  };

  const takeHeartbeat = (data: Record<string, unknown>): void => {
    const { as_of: asOf, seq, max_life: maxLife } = data;
    if (!isCount(asOf) || !isCount(seq) || !isCount(maxLife))
      throw new Gap('the heartbeat has a wrong shape');
    if (seq !== position?.seq) throw new Gap('the heartbeat counts otherwise');
    freshness.heard(asOf, maxLife);
    heartbeatAt = monotonic();
    failures = 0;
    lastFault = undefined;
    options.onProgress();
  };

  const takeFrame = (frame: Frame): void => {
    if (frame.event === 'reset') throw new Gap('the server asked for it');
    if (frame.event === 'heartbeat') {
      takeHeartbeat(readData(frame));
      return;
    }
    if (frame.id === undefined) return;
    const next = positionAfter(frame);
    if (frame.event === 'keys') void options.refreshKeys().catch(() => {});
    else addMark(readMark(frame));
    // Last: a frame that could not be taken is asked for again, never skipped.
    position = next;
  };

  /** Reads the stream until it ends, breaks or falls silent. */
  const follow = async (): Promise<void> => {
    const cut = new AbortController();
    const stop = (): void => cut.abort();
    closed.signal.addEventListener('abort', stop, { once: true });
    heartbeatAt = monotonic();
    const watch = setInterval(() => monotonic() - heartbeatAt > silence && cut.abort(), watchInterval);
    watch.unref();
    try {
      const reader = await connect(options, position, cut.signal);
      connects += 1;
      connected = true;
      await readFrames(reader, createFrameReader(takeFrame), cut.signal);
    } finally {
      connected = false;
      clearInterval(watch);
      cut.abort();
      closed.signal.removeEventListener('abort', stop);
    }
  };

  const run = async (): Promise<void> => {
    while (!closed.signal.aborted) {
      try {
        if (!complete || freshness.age(now()) > longestAbsence) await load();
        await follow();
      } catch (fault) {
        if (fault instanceof StreamFault) complete = false;
        lastFault =
          fault instanceof Error && fault.name.endsWith('Fault') ? fault.message : 'the stream was cut';
      }
      failures += 1;
      await pause(backoff(failures), undefined, { ref: false, signal: closed.signal }).catch(() => {});
    }
  };

  return {
    get position() {
      return position;
    },
    get connected() {
      return connected;
    },
    get snapshots() {
      return snapshots;
    },
    get connects() {
      return connects;
    },
    get lastFault() {
      return lastFault;
    },
    start() {
      if (running || closed.signal.aborted) return;
      running = true;
      void run();
    },
    restore(kept) {
      position = kept;
      complete = true;
    },
    async load() {
      if (snapshots > 0) return;
      if (loading === undefined) throw new FetchFault('waiting before the next attempt');
      await loading;
    },
    close: () => closed.abort(),
  };
}

/** An older state must not replace a newer one, whoever serves it: a replayed snapshot would hide what came after it. */
function refuseOlder(snapshot: Snapshot, position: Position | undefined, asOf: number | undefined): void {
  if (position?.epoch === snapshot.epoch && snapshot.seq < position.seq) {
    throw new SnapshotFault('the snapshot is older than what is known');
  }
  // A new epoch counts anew, so its time must speak for it.
  if (asOf !== undefined && snapshot.asOf < asOf - epochTolerance) {
    throw new SnapshotFault('the snapshot is older than what is known');
  }
}

async function connect(options: SignalsOptions, position: Position | undefined, signal: AbortSignal) {
  const response = await openStream({
    fetch: options.fetch,
    url: documentUrl(options.address, '/signals'),
    headers: {
      accept: 'text/event-stream',
      'cache-control': 'no-cache',
      ...(position === undefined ? {} : { 'last-event-id': position.id }),
    },
    deadline: connectDeadline,
    signal,
  });
  const type = response.headers.get('content-type') ?? '';
  if (response.body === null || !/^text\/event-stream\s*(?:;|$)/i.test(type)) {
    await response.body?.cancel().catch(() => {});
    throw new FetchFault('the answer is not an event stream');
  }
  return response.body.getReader();
}

async function readFrames(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  take: (chunk: Uint8Array) => void,
  signal: AbortSignal,
): Promise<void> {
  // Cancelling ends the read below even where a given `fetch` does not listen to its signal.
  const cancel = (): void => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new FetchFault('the stream ended');
      take(value);
    }
  } finally {
    cancel();
  }
}

function readData(frame: Frame): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseStrictJson(Buffer.from(frame.data));
  } catch {
    throw new Gap('a frame is not JSON');
  }
  if (typeof value !== 'object' || value === null) throw new Gap('a frame is not an object');
  return value as Record<string, unknown>;
}

function readMark(frame: Frame): Mark {
  const mark = parseMark(frame.event, readData(frame));
  if (mark === undefined) throw new Gap('a frame is not known here');
  return mark;
}

/** Milliseconds, drawn at random, so that a fleet does not come back in one moment. */
function backoff(failures: number): number {
  return Math.random() * Math.min(400 * 2 ** Math.min(failures - 1, 10), 5_000);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
