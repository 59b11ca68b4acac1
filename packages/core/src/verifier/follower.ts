// What the two ways of following signals have in common: stream.ts and poll.ts.
import { setTimeout as pause } from 'node:timers/promises';

/** Keeps what is applied up to date until it is closed. */
export interface Follower {
  /** The stream is open, or the last look at the snapshot went well. */
  readonly connected: boolean;
  /** Streams that were opened. */
  readonly connects: number;
  /** Words of ours; undefined once it goes well again. */
  readonly lastFault: string | undefined;
  /** Begins; needs keys. */
  start(): void;
  /** The issuer has forgotten this reader: it is to be told anew. */
  reconnect(): void;
}

/** Milliseconds, drawn at random, so that a fleet does not come back in one moment. */
export function backoff(failures: number): number {
  return Math.random() * Math.min(400 * 2 ** Math.min(failures - 1, 10), 5_000);
}

/** Ends early, and quietly, with `signal`. */
export async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  await pause(milliseconds, undefined, { ref: false, signal }).catch(() => {});
}

/** Our own words for a fault; what others throw may hold anything. */
export function wordsOf(fault: unknown, otherwise: string): string {
  return fault instanceof Error && fault.name.endsWith('Fault') ? fault.message : otherwise;
}
