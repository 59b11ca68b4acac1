// The issuer's JWK Set, fetched and kept. Single flight: however many wait, one request is under way. A stranger's unknown `kid`
// may cost one fetch per cool-down and no more (threats K01), and a `kid` that was not found is remembered for a while.
// What was good stays in use until something good replaces it: a failed fetch, HTML, a private key or a set without a
// usable key change nothing (K03). A `keys` signal fetches at once, past the cool-down, and so does a signature of a key that is not
// here; but never one fetch after the other without a pause. It waits on the network, so `fetch` and the clock are arguments.
import { setTimeout as pause } from 'node:timers/promises';
import type { Algorithm } from '../jwa.ts';
import { JwkError, parseJwkSet } from '../jwk.ts';
import type { KeySet } from '../keys.ts';
import { parseStrictJson } from '../strict_json.ts';
import { type Fetch, FetchFault, fetchBounded } from './bounded_fetch.ts';

export interface RemoteJwkSetOptions {
  readonly url: string;
  readonly fetch: Fetch;
  readonly headers: Readonly<Record<string, string>>;
  readonly monotonic: () => number;
  readonly algorithms: readonly Algorithm[];
  /** Told after each new set; `withdrawn` when a key of the old one is gone or changed. */
  readonly onChange: (keys: KeySet, withdrawn: boolean) => void;
}

export interface RemoteJwkSet {
  readonly keys: KeySet | undefined;
  /** Words of ours about the last failed fetch; undefined after a good one. */
  readonly lastFault: string | undefined;
  readonly fetches: number;
  /** Starts the background fetches. */
  start(): void;
  /** Keys that were kept from an earlier run; used until a fetched set replaces them. */
  restore(keys: KeySet): void;
  /** Resolves when there are keys; rejects when the fetch under way fails, or at once while it waits to try again. */
  load(): Promise<void>;
  /**
   * Fetches at once, or a second after the last time. A fetch that is under way is waited for: its answer may be older than the
   * reason for this one.
   */
  refresh(): Promise<void>;
  /** May a token with this unknown `kid` cause a fetch now? */
  mayFind(kid: string): boolean;
  /** True when the set holds `kid` now, after at most one fetch. */
  find(kid: string): Promise<boolean>;
  close(): void;
}

const maxBytes = 262_144;
const deadline = 3_000;
const coolDown = 30_000;
const refreshPause = 1_000;
const missMemory = 60_000;
const maxMisses = 1_000;
const shortestLife = 60_000;
const longestLife = 3_600_000;
const defaultLife = 300_000;

export function createRemoteJwkSet(options: RemoteJwkSetOptions): RemoteJwkSet {
  const { monotonic } = options;
  const closed = new AbortController();
  const misses = createMisses(monotonic);
  let keys: KeySet | undefined;
  let flight: Promise<void> | undefined;
  let queued: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let refreshedAt = Number.NEGATIVE_INFINITY;
  let askedAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let fetches = 0;
  let lastFault: string | undefined;

  const schedule = (delay: number): void => {
    clearTimeout(timer);
    if (closed.signal.aborted) return;
    timer = setTimeout(() => fetchOnce().catch(() => {}), delay);
    timer.unref();
  };

  const adopt = (next: KeySet): void => {
    const withdrawn = keys !== undefined && isWithdrawn(keys, next);
    keys = next;
    for (const kid of next.keys()) misses.forget(kid);
    options.onChange(next, withdrawn);
  };

  const fetchOnce = (): Promise<void> => {
    flight ??= exchange().finally(() => {
      flight = undefined;
    });
    return flight;
  };

  const exchange = async (): Promise<void> => {
    clearTimeout(timer);
    fetches += 1;
    try {
      const { keys: fetched, life } = await fetchJwkSet(options, closed.signal);
      failures = 0;
      lastFault = undefined;
      adopt(fetched);
      schedule(life * (0.9 + Math.random() * 0.1));
    } catch (error) {
      failures += 1;
      lastFault = error instanceof Error ? error.message : 'the key set was refused';
      schedule(backoff(failures, keys === undefined));
      throw error;
    }
  };

  const refreshInTurn = async (): Promise<void> => {
    const wait = Math.max(refreshedAt + refreshPause - monotonic(), 0);
    await (wait > 0 ? pause(wait, undefined, { ref: false, signal: closed.signal }) : undefined);
    while (flight !== undefined) await flight.catch(() => {});
    queued = undefined;
    refreshedAt = monotonic();
    await fetchOnce();
  };

  return {
    get keys() {
      return keys;
    },
    get lastFault() {
      return lastFault;
    },
    get fetches() {
      return fetches;
    },
    start() {
      fetchOnce().catch(() => {});
    },
    restore(kept) {
      if (keys === undefined) adopt(kept);
    },
    async load() {
      if (keys !== undefined) return;
      if (flight === undefined) throw new FetchFault('waiting before the next attempt');
      await flight;
    },
    refresh() {
      queued ??= refreshInTurn();
      return queued;
    },
    mayFind: (kid) =>
      !closed.signal.aborted &&
      !misses.has(kid) &&
      (flight !== undefined || monotonic() - askedAt >= coolDown),
    async find(kid) {
      if (keys?.has(kid)) return true;
      if (!this.mayFind(kid)) return false;
      if (flight === undefined) askedAt = monotonic();
      await fetchOnce().catch(() => {});
      if (keys?.has(kid)) return true;
      misses.add(kid);
      return false;
    },
    close() {
      closed.abort();
      clearTimeout(timer);
    },
  };
}

async function fetchJwkSet(
  options: RemoteJwkSetOptions,
  signal: AbortSignal,
): Promise<{ readonly keys: KeySet; readonly life: number }> {
  const { headers, chunks } = await fetchBounded({
    fetch: options.fetch,
    url: options.url,
    // `no-cache`: a shared cache on the way must ask the issuer, or a key could be withdrawn and still be served.
    headers: {
      ...options.headers,
      accept: 'application/jwk-set+json, application/json',
      'cache-control': 'no-cache',
    },
    deadline,
    signal,
    maxBytes,
    inspect: requireJson,
  });
  let keys: KeySet;
  try {
    keys = parseJwkSet(parseStrictJson(Buffer.concat(chunks)), { algorithms: options.algorithms });
  } catch (error) {
    throw new FetchFault(
      error instanceof JwkError ? `the key set was refused: ${error.message}` : 'the key set is not JSON',
    );
  }
  if (keys.size === 0) throw new FetchFault('the key set holds no key that can be used here');
  return { keys, life: lifeOf(headers.get('cache-control')) };
}

function requireJson(headers: Headers): void {
  const type = headers.get('content-type') ?? '';
  if (!/^application\/(?:jwk-set\+)?json\s*(?:;|$)/i.test(type))
    throw new FetchFault('the key set is not JSON');
}

/** Milliseconds a set is good for: `max-age`, within bounds that keep a strange issuer from being asked too much or too seldom. */
function lifeOf(cacheControl: string | null): number {
  const seconds = /(?:^|[\s,])max-age=(\d{1,9})(?:[\s,]|$)/i.exec(cacheControl ?? '')?.[1];
  const life = seconds === undefined ? defaultLife : Number(seconds) * 1000;
  return Math.min(Math.max(life, shortestLife), longestLife);
}

/** A verifier without keys serves nobody, so its first attempts are close together. */
function backoff(failures: number, withoutKeys: boolean): number {
  const [first, longest] = withoutKeys ? [100, 15_000] : [5_000, 60_000];
  return Math.min(first * 2 ** Math.min(failures - 1, 20), longest) * (0.5 + Math.random() * 0.5);
}

function isWithdrawn(old: KeySet, next: KeySet): boolean {
  for (const [kid, { key, alg }] of old) {
    const now = next.get(kid);
    if (now === undefined || now.alg !== alg || !now.key.equals(key)) return true;
  }
  return false;
}

/** The bounded memory of `kid`s that were looked for in vain: the oldest goes first. */
function createMisses(monotonic: () => number) {
  const seen = new Map<string, number>();
  return {
    has(kid: string): boolean {
      const at = seen.get(kid);
      return at !== undefined && monotonic() - at < missMemory;
    },
    add(kid: string): void {
      seen.delete(kid);
      seen.set(kid, monotonic());
      if (seen.size > maxMisses) seen.delete(seen.keys().next().value as string);
    },
    forget: (kid: string): void => void seen.delete(kid),
  };
}
