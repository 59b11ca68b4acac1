// What a `keys` signal asks for: the key set, fetched after the signal came, and again until that succeeds. Only then is the signal in
// force: an issuer that waits for its readers before it signs with a new key must not hear from us earlier.
import { backoff, rest } from './follower.ts';

export interface KeyRefreshOptions {
  readonly refreshKeys: () => Promise<void>;
  /** Nothing is pending any more. */
  readonly onDone: () => void;
  readonly signal: AbortSignal;
}

export interface KeyRefresh {
  readonly pending: boolean;
  want(): void;
}

export function createKeyRefresh({ refreshKeys, onDone, signal }: KeyRefreshOptions): KeyRefresh {
  let wanted = 0;
  let running = false;

  const run = async (): Promise<void> => {
    running = true;
    for (let failures = 0; wanted > 0 && !signal.aborted; ) {
      const answered = wanted;
      try {
        await refreshKeys();
        wanted -= answered;
        failures = 0;
      } catch {
        failures += 1;
        await rest(1_000 + backoff(failures), signal);
      }
    }
    running = false;
    if (!signal.aborted) onDone();
  };

  return {
    get pending() {
      return wanted > 0;
    },
    want() {
      wanted += 1;
      if (!running) void run();
    },
  };
}
