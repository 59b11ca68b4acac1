// A registered reader tells the issuer how far it is (docs/protocol/signals.md, "Registered readers"): when the position has moved, at once
// or a second after the last time; when asked, at once or a tenth of a second after; every 20 s anyway. It informs and grants
// nothing, so whatever goes wrong here is tried again later and disturbs nobody.
import { type Fetch, fetchBounded } from './bounded_fetch.ts';
import { wordsOf } from './follower.ts';
import type { Position } from './position.ts';

export interface AcknowledgerOptions {
  readonly url: string;
  readonly fetch: Fetch;
  readonly headers: Readonly<Record<string, string>>;
  readonly instance: string;
  readonly monotonic: () => number;
  /** The issuer does not know this instance: connect again. Told at most once a minute. */
  readonly onUnknown: () => void;
}

export interface Acknowledger {
  /** The last `seq` that the issuer has confirmed to have heard. */
  readonly acknowledged: number | undefined;
  readonly lastFault: string | undefined;
  /** The issuer can hear us: it is told where we are, and kept informed until `pause`. */
  open(): void;
  pause(): void;
  /** Everything up to here is in force. */
  moved(position: Position): void;
  asked(): void;
  /** The last word: this process ends. Best effort. */
  leave(): void;
}

/** What the next acknowledgement depends on. Moments are of the monotonic clock. */
export interface Pending {
  /** The issuer has not confirmed to know the present position. */
  owed: boolean;
  asked: boolean;
  sentAt: number;
  askedAt: number;
  /** In a row. */
  failures: number;
}

const askedPause = 100;
const usualPause = 1_000;
/** Every 20 s at the least, the way there included. */
const longestPause = 18_000;

/**
 * When to acknowledge next. What is asked about may still be on its way here: for a second after `ask` a new position need not
 * wait as long as usual.
 */
export function dueAt({ owed, asked, sentAt, askedAt, failures }: Pending, now: number): number {
  if (asked) return sentAt + askedPause;
  if (!owed) return sentAt + longestPause;
  if (failures > 0) return sentAt + Math.min(usualPause * 2 ** Math.min(failures, 10), longestPause);
  return sentAt + (now - askedAt < usualPause ? askedPause : usualPause);
}

interface State extends Pending {
  isOpen: boolean;
  flying: boolean;
  timer: NodeJS.Timeout | undefined;
  position: Position | undefined;
  acknowledged: number | undefined;
  lastFault: string | undefined;
  unknownAt: number;
  readonly ended: AbortController;
}

const never = Number.NEGATIVE_INFINITY;

export function createAcknowledger(options: AcknowledgerOptions): Acknowledger {
  const state: State = {
    ...{ owed: false, asked: false, sentAt: never, askedAt: never, failures: 0 },
    ...{ isOpen: false, flying: false, timer: undefined, unknownAt: never, ended: new AbortController() },
    ...{ position: undefined, acknowledged: undefined, lastFault: undefined },
  };
  return {
    get acknowledged() {
      return state.acknowledged;
    },
    get lastFault() {
      return state.lastFault;
    },
    open() {
      state.isOpen = true;
      state.owed = true;
      plan(options, state);
    },
    pause() {
      state.isOpen = false;
      clearTimeout(state.timer);
    },
    moved(position) {
      if (state.position?.id === position.id) return;
      state.position = position;
      state.owed = true;
      plan(options, state);
    },
    asked() {
      state.asked = true;
      state.askedAt = options.monotonic();
      plan(options, state);
    },
    leave() {
      this.pause();
      state.ended.abort();
      if (state.sentAt === never || state.position === undefined) return;
      const word = wordOf(options, state.position, { leaving: true });
      void post(options, word, lastDeadline, new AbortController().signal).catch(() => {});
    },
  };
}

/** The given clock may leap, after a sleep or in a test: it is looked at again before long. */
const longestTimer = 250;

function plan(options: AcknowledgerOptions, state: State): void {
  clearTimeout(state.timer);
  if (!state.isOpen || state.flying || state.position === undefined) return;
  const now = options.monotonic();
  const wait = dueAt(state, now) - now;
  if (wait <= 0) {
    void send(options, state, state.position);
    return;
  }
  state.timer = setTimeout(() => plan(options, state), Math.min(wait, longestTimer));
  state.timer.unref();
}

const deadline = 5_000;
const lastDeadline = 2_000;

async function send(options: AcknowledgerOptions, state: State, position: Position): Promise<void> {
  state.flying = true;
  state.owed = false;
  state.asked = false;
  state.sentAt = options.monotonic();
  try {
    const known = await post(options, wordOf(options, position), deadline, state.ended.signal);
    if (known) confirmed(state, position);
    else unknown(options, state);
  } catch (fault) {
    failed(state, wordsOf(fault, 'the acknowledgement failed'));
  }
  state.flying = false;
  plan(options, state);
}

function confirmed(state: State, { seq }: Position): void {
  state.acknowledged = seq;
  state.failures = 0;
  state.lastFault = undefined;
}

function failed(state: State, words: string): void {
  state.owed = true;
  state.failures += 1;
  state.lastFault = words;
}

const unknownPause = 60_000;

function unknown(options: AcknowledgerOptions, state: State): void {
  failed(state, 'the issuer does not know this instance');
  const now = options.monotonic();
  if (now - state.unknownAt < unknownPause) return;
  state.unknownAt = now;
  options.onUnknown();
}

function wordOf({ instance }: AcknowledgerOptions, { epoch, seq }: Position, more: object = {}): string {
  return JSON.stringify({ instance, epoch, seq, ...more });
}

/** False where the issuer does not know this instance. */
async function post(
  { fetch, url, headers }: AcknowledgerOptions,
  body: string,
  milliseconds: number,
  signal: AbortSignal,
): Promise<boolean> {
  const { status } = await fetchBounded({
    fetch,
    url,
    headers: { ...headers, 'content-type': 'application/json' },
    body,
    statuses: [204, 404],
    deadline: milliseconds,
    maxBytes: 65_536,
    signal,
  });
  return status === 204;
}
