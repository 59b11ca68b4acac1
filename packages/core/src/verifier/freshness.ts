// How old is what we know? The authorization server says `as_of`: everything committed up to that moment of its own clock has
// been sent. From it follow two answers: the verifier's clock, which is never earlier than the last `as_of`, and the age
// of our knowledge, by the larger of the monotonic and the wall-clock difference, so that neither a clock set back nor a
// machine that slept makes old knowledge young. The two machines' clocks may differ: the smallest difference seen in
// the last minutes counts as offset, up to the tolerance that tokens get as well; a delay beyond it counts as age.

export interface FreshnessOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds that never go back. */
  readonly monotonic: () => number;
  /** Seconds by which the two clocks may differ. */
  readonly clockTolerance: number;
  /** Seconds: the longest token life this verifier accepts, which bounds what the issuer may announce. */
  readonly maxTokenLife: number;
}

export interface Freshness {
  /** Milliseconds; undefined before the first. */
  readonly asOf: number | undefined;
  readonly maxLife: number;
  /** Milliseconds by which our wall clock seems to be ahead of the issuer's. */
  readonly offset: number;
  /**
   * Told now: complete up to `asOf` (ms); `maxLife` in seconds. False, and nothing has changed, where the last `asOf` was as
   * late: whatever is replayed makes nobody fresh.
   */
  heard(asOf: number, maxLife: number): boolean;
  /** Known from an earlier run: counts with its full age. */
  restored(asOf: number, maxLife: number): void;
  /** Our clock in milliseconds, for a wall clock that says `wall`. */
  clock(wall: number): number;
  /**
   * The issuer's clock at the last `as_of`, 0 before the first. Marks are dropped by it, never by ours: one that is far
   * ahead and set right again would have lost marks on tokens that are alive.
   */
  issuerClock(): number;
  /** Age in milliseconds; infinite before the first `as_of`. */
  age(wall: number): number;
  /** May a request still be decided with what we know? */
  holds(wall: number, sensitive: boolean): boolean;
}

const sensitiveLimit = 10_000;
const shortestNormalLimit = 300_000;
const offsetWindow = 60_000;

export function createFreshness({
  now,
  monotonic,
  clockTolerance,
  maxTokenLife,
}: FreshnessOptions): Freshness {
  let asOf: number | undefined;
  let maxLife = 0;
  let heardAt = 0;
  let normalLimit = shortestNormalLimit;
  const offset = createOffset(clockTolerance * 1000);

  // Two clocks a request are dear: an age is good for the millisecond it was told in, and for a few requests at the most, should
  // the wall clock stand still.
  let toldAge = Number.POSITIVE_INFINITY;
  let toldAt = Number.NaN;
  let toldTimes = 0;

  const advance = (value: number, life: number): void => {
    toldAt = Number.NaN;
    asOf = value;
    maxLife = life;
    normalLimit = Math.max(Math.min(life, maxTokenLife) * 1000, shortestNormalLimit);
  };
  const age = (wall: number): number => {
    if (asOf === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(monotonic() - heardAt, wall - asOf - offset.value(), 0);
  };

  return {
    get asOf() {
      return asOf;
    },
    get maxLife() {
      return maxLife;
    },
    get offset() {
      return offset.value();
    },
    heard(value, life) {
      if (asOf !== undefined && value <= asOf) return false;
      heardAt = monotonic();
      offset.sample(now() - value, heardAt);
      advance(value, life);
      return true;
    },
    restored(value, life) {
      heardAt = monotonic() - Math.max(0, now() - value);
      advance(value, life);
    },
    clock: (wall) => (asOf !== undefined && asOf > wall ? asOf : wall),
    issuerClock: () => asOf ?? 0,
    age,
    holds(wall, sensitive) {
      if (sensitive) return age(wall) <= sensitiveLimit;
      if (wall !== toldAt || ++toldTimes > 100) {
        toldAge = age(wall);
        toldAt = wall;
        toldTimes = 0;
      }
      return toldAge <= normalLimit;
    },
  };
}

/** The smallest difference of the last one to two windows: a sliding minimum in two numbers. */
function createOffset(limit: number): { sample(difference: number, at: number): void; value(): number } {
  let current = Number.POSITIVE_INFINITY;
  let previous = Number.POSITIVE_INFINITY;
  let startedAt = Number.NEGATIVE_INFINITY;
  let offset = 0;
  return {
    sample(difference, at) {
      if (at - startedAt > offsetWindow) {
        previous = current;
        current = Number.POSITIVE_INFINITY;
        startedAt = at;
      }
      current = Math.min(current, difference);
      offset = Math.min(current, previous, limit);
    },
    value: () => offset,
  };
}
