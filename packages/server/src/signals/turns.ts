// Work that many ask for at once and that must not take the whole loop: one turn at a time, everyone who comes while it runs
// shares the next, and a turn that took long is followed by a rest. So whoever is answered is answered by work that began
// after the question, however often it is asked.
import { setTimeout as pause } from 'node:timers/promises';

export interface TurnsOptions {
  /** A turn is followed by a rest of this many times its own length … */
  readonly rest: number;
  /** … but never longer. Milliseconds. */
  readonly longestRest: number;
  /** Milliseconds, monotonic. @default performance.now */
  readonly monotonic?: () => number;
}

/** Answers a function that has `work` done: at once, or in the next turn when one is under way. */
export function inTurns<T>(work: () => Promise<T>, options: TurnsOptions): () => Promise<T> {
  const monotonic = options.monotonic ?? (() => performance.now());
  let free: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;

  function begin(): Promise<T> {
    let length = 0;
    const turn = free.then(async () => {
      next = undefined;
      const began = monotonic();
      try {
        return await work();
      } finally {
        length = monotonic() - began;
      }
    });
    const rest = () => {
      const milliseconds = Math.min(length * options.rest, options.longestRest);
      return milliseconds < 1 ? undefined : pause(milliseconds);
    };
    free = turn.then(rest, rest);
    return turn;
  }

  return () => {
    next ??= begin();
    return next;
  };
}
