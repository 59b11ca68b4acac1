// Drops the marks that are over, a part of the set at a time, so that no sweep holds a request up for long. A pass goes through
// all parts; between two passes it is known when the next mark will be over, and until then there is nothing to do.
import type { Swept } from './mark_shard.ts';

export interface MarkSweeper {
  /** A mark was added. */
  added(until: number): void;
  /** Looks at some parts; returns how many marks were dropped. */
  sweep(now: number): number;
  /** Looks on until a mark was dropped; 0 when none is over. For a set that is full: may look at all of it. */
  makeRoom(now: number): number;
}

interface Part {
  sweep(now: number): Swept;
}

/** Slots of the table that one sweep looks at, or a little more. */
const step = 65_536;

export function createMarkSweeper(parts: readonly Part[]): MarkSweeper {
  let part = 0;
  // Never later than it is true: a mark that was replaced may have been the first.
  let earliest = Number.POSITIVE_INFINITY;
  let earliestOfNext = Number.POSITIVE_INFINITY;
  let looked = 0;

  const isIdle = (now: number): boolean => part === 0 && now < earliest;

  const sweepPart = (now: number): number => {
    const swept = parts[part]!.sweep(now);
    earliestOfNext = Math.min(earliestOfNext, swept.earliest);
    looked += swept.looked;
    if (!swept.done) return swept.dropped;
    part += 1;
    if (part === parts.length) {
      part = 0;
      earliest = earliestOfNext;
      earliestOfNext = Number.POSITIVE_INFINITY;
    }
    return swept.dropped;
  };

  return {
    added(until) {
      if (until < earliest) earliest = until;
      if (until < earliestOfNext) earliestOfNext = until;
    },
    sweep(now) {
      let dropped = 0;
      looked = 0;
      while (looked < step && !isIdle(now)) dropped += sweepPart(now);
      return dropped;
    },
    makeRoom(now) {
      let dropped = 0;
      while (dropped === 0 && !isIdle(now)) dropped = sweepPart(now);
      return dropped;
    },
  };
}
