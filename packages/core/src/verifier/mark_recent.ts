// Which tokens the latest additions may hit. A token in circulation is looked at again and again, and marks arrive between
// two looks: asking the whole set about each of its claims would cost more than all other checks of a cached token. So
// the cache keeps a few bits of what the token can be hit by, and here it is asked whether any mark with the same bits was
// added since. "No" is certain; "perhaps" means that the set itself must be asked.
import type { MarkBy } from './mark_shape.ts';

/** Spots of a token, kept with it. */
export interface MarkSpots {
  readonly jtiSpot: number;
  readonly sidSpot: number;
  readonly subSpot: number;
}

export interface RecentMarks {
  /** One was added, and the set has this version now. */
  added(by: MarkBy, value: string, version: number): void;
  /** False: nothing that was added after version `since` hits such a token. Always true of one that was never looked at: -1. */
  mayHit(spots: MarkSpots, since: number): boolean;
}

const spotBits = 13;

export function createRecentMarks(): RecentMarks {
  /** The version that came of the last addition at each spot. Not 32 bits: at 3,000 marks a second those last for two weeks. */
  const last = new Float64Array(2 ** spotBits);
  /** The last addition by client, key or role, which are rare, and hit any token. */
  let others = 0;
  return {
    added(by, value, version) {
      if (by === 'client' || by === 'kid' || by === 'role') others = version;
      else last[spotOf(value) >>> (32 - spotBits)] = version;
    },
    mayHit: ({ jtiSpot, sidSpot, subSpot }, since) =>
      last[jtiSpot]! > since ||
      last[sidSpot]! > since ||
      last[subSpot]! > since ||
      others > since ||
      since < 0,
  };
}

export function spotsOf({ jti, sid, sub }: { jti?: string; sid?: string; sub?: string }): MarkSpots {
  const spot = (value = ''): number => spotOf(value) >>> (32 - spotBits);
  return { jtiSpot: spot(jti), sidSpot: spot(sid), subSpot: spot(sub) };
}

/**
 * 32 bits, of which the upper ones are for use, made of the characters in which names and identifiers differ most: the last
 * ones, and one in the middle. Quick, and good for nothing but to save time: whoever chooses names can make them meet.
 */
export function spotOf(value: string): number {
  const end = value.length;
  if (end < 4) return Math.imul(end, 0x9e3779b1);
  const characters =
    (value.charCodeAt(end - 1) << 18) ^
    (value.charCodeAt(end - 2) << 12) ^
    (value.charCodeAt(end - 3) << 6) ^
    value.charCodeAt(end >> 1);
  return Math.imul(characters ^ end, 0x9e3779b1);
}
