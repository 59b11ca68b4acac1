// Following signals by looking at the snapshot again and again, for places where long connections are impossible. While nothing has
// changed a signature is the whole answer.
import type { CatchUp } from './catch_up.ts';
import { backoff, type Follower, rest, wordsOf } from './follower.ts';

export interface PollOptions {
  readonly catchUp: CatchUp;
  /** Milliseconds. */
  readonly interval: number;
  readonly signal: AbortSignal;
}

export function createPoll({ catchUp, interval, signal }: PollOptions): Follower {
  let running = false;
  let failures = 0;
  let connected = false;
  let lastFault: string | undefined;

  const look = async (): Promise<void> => {
    try {
      await catchUp.take();
      failures = 0;
      connected = true;
      lastFault = undefined;
    } catch (fault) {
      failures += 1;
      connected = false;
      lastFault = wordsOf(fault, 'the snapshot cannot be taken');
    }
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await look();
      await rest(failures === 0 ? interval * (0.8 + 0.2 * Math.random()) : backoff(failures), signal);
    }
    connected = false;
  };

  return {
    get connected() {
      return connected;
    },
    connects: 0,
    get lastFault() {
      return lastFault;
    },
    start() {
      if (running || signal.aborted) return;
      running = true;
      void run();
    },
    reconnect() {},
  };
}
