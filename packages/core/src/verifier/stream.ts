// Following signals by their stream, for as long as the verifier lives: the snapshot first, then the stream from its position. What comes
// is held until a signed heartbeat closes the batch. Whatever does not fit means: forget no mark, take the snapshot. A
// connection that only ends leaves no hole: the next one goes on from the same position, after a pause drawn at random.
import type { Applied } from './applied.ts';
import { AttestationFault, readAttestation, type Trust } from './attestation.ts';
import { createBatch, readData } from './batch.ts';
import { type Fetch, FetchFault } from './bounded_fetch.ts';
import type { CatchUp } from './catch_up.ts';
import { type Frame, StreamFault } from './event_stream.ts';
import { backoff, type Follower, rest, wordsOf } from './follower.ts';
import type { Position } from './position.ts';
import { readStream } from './stream_reader.ts';

export interface StreamOptions {
  readonly url: string;
  readonly fetch: Fetch;
  readonly headers: Readonly<Record<string, string>>;
  readonly monotonic: () => number;
  readonly trust: Trust;
  readonly applied: Applied;
  readonly catchUp: CatchUp;
  /** Milliseconds since the last `as_of`. */
  readonly age: () => number;
  readonly refreshKeys: () => Promise<void>;
  readonly onOpen: () => void;
  readonly onClose: () => void;
  /** The issuer wants to know how far we are. */
  readonly onAsk: () => void;
  readonly signal: AbortSignal;
}

interface StreamState {
  connected: boolean;
  connects: number;
  /** Ends since the last good heartbeat. */
  failures: number;
  lastFault: string | undefined;
  connection: AbortController;
}

/** After so long the snapshot is shorter than what was missed. */
const longestAbsence = 300_000;
/** A stream that goes well is never as old. */
const unfed = 3_000;
/** A fleet that is told to take the snapshot does not come in one moment. */
const spread = 200;

export function createStream(options: StreamOptions): Follower {
  const state: StreamState = {
    connected: false,
    connects: 0,
    failures: 0,
    lastFault: undefined,
    connection: new AbortController(),
  };
  let running = false;
  return {
    get connected() {
      return state.connected;
    },
    get connects() {
      return state.connects;
    },
    get lastFault() {
      return state.lastFault;
    },
    start() {
      if (running || options.signal.aborted) return;
      running = true;
      void run(options, state);
    },
    reconnect: () => state.connection.abort(),
  };
}

async function run(options: StreamOptions, state: StreamState): Promise<void> {
  const { applied, catchUp, age, signal } = options;
  while (!signal.aborted) {
    try {
      if (!applied.complete || age() > longestAbsence) await catchUp.take();
      await follow(options, state).catch((fault) => mend(fault, options, state));
    } catch (fault) {
      state.lastFault = wordsOf(fault, 'the snapshot cannot be taken');
    }
    state.failures += 1;
    await rest(backoff(state.failures), signal);
  }
}

/** Reads one connection to its end; always rejects. */
async function follow(options: StreamOptions, state: StreamState): Promise<void> {
  const { signal, applied } = options;
  if (applied.position === undefined) throw new StreamFault('no position is known');
  const connection = new AbortController();
  state.connection = connection;
  const stop = (): void => connection.abort();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await readStream({
      ...options,
      position: applied.position,
      signal: connection.signal,
      take: createTaker(options, state, applied.position),
      onOpen() {
        state.connects += 1;
        state.connected = true;
        options.onOpen();
      },
    });
  } finally {
    if (state.connected) options.onClose();
    state.connected = false;
    signal.removeEventListener('abort', stop);
  }
}

/** What the end of a connection asks for before the next one. */
async function mend(fault: unknown, options: StreamOptions, state: StreamState): Promise<void> {
  state.lastFault = wordsOf(fault, 'the stream was cut');
  if (fault instanceof FetchFault) {
    // Where no stream gets through, the snapshot does what it can.
    if (options.age() > unfed && !options.signal.aborted) await options.catchUp.take();
    return;
  }
  options.applied.doubt();
  if (fault instanceof AttestationFault && fault.unknownKey) await options.refreshKeys();
  // The issuer answers, so what was missed does not wait for the pause before the next connection, which grows while it is away.
  await rest(Math.random() * spread, options.signal);
  if (!options.signal.aborted) await options.catchUp.take();
}

/** Anything else without an id is passed over. */
const numbered: ReadonlySet<string> = new Set(['revoke', 'stale', 'keys']);

/** Takes the events of one connection; true for a heartbeat that says something new. Throws where they do not fit. */
function createTaker(
  { applied, trust, onAsk }: StreamOptions,
  state: StreamState,
  position: Position,
): (frame: Frame) => boolean {
  let batch = createBatch(position);

  const closeBatch = (heartbeat: Frame): boolean => {
    const attested = readAttestation(readData(heartbeat)['signature'], trust);
    const closed = batch.close(attested);
    const moved = applied.takeBatch(closed, attested);
    batch = createBatch(closed.position);
    if (!moved && closed.changes.length === 0) return false;
    state.failures = 0;
    state.lastFault = undefined;
    return true;
  };

  return (frame) => {
    if (frame.id !== undefined) batch.hold(frame);
    else if (frame.event === 'heartbeat') return closeBatch(frame);
    else if (frame.event === 'ask') onAsk();
    else if (frame.event === 'reset') throw new StreamFault('the issuer asked for the snapshot');
    else if (numbered.has(frame.event)) throw new StreamFault('a signal without a position');
    return false;
  };
}
