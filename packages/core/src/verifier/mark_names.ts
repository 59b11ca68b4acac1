// Marks on values of one kind that are no identifiers of ours: client ids, key ids, roles, identifiers of a foreign issuer or with
// spare bits set, and the few marks whose version or time does not fit in the table. Ordinary maps, one for each kind of mark;
// a subject may have several, each below its own version and until its own time.
//
// A map has to hash a string before it can say no, which takes longer than all the rest. So a few characters are asked first
// whether any marked name has the same: a filter that only saves time, whatever is put into it.
import { spotOf } from './mark_recent.ts';
import type { Mark, MarkBy, MarkHit, MarkKind } from './mark_shape.ts';
import { full, known, type Swept } from './mark_shard.ts';

interface Bound {
  readonly below: number;
  readonly until: number;
  readonly next: Bound | undefined;
}

type Bounds = Map<string, Bound>;

/** How many names one sweep looks at, and what one of them costs in slots of the table. */
const piece = 4_096;
const slotsEach = 8;

const spotBits = 15;

export class MarkNames {
  size = 0;
  /** A bit for each spot where a name is, and perhaps for some where one was: those go with the next sweep. */
  #spots = new Uint8Array(2 ** (spotBits - 3));
  #spotsAfterSweep = new Uint8Array(2 ** (spotBits - 3));
  readonly #by: MarkBy;
  readonly #revoke: Bounds = new Map();
  readonly #stale: Bounds = new Map();
  #left: Iterator<readonly [Bounds, string]> | undefined;

  constructor(by: MarkBy) {
    this.#by = by;
  }

  find(value: string, version: number, now: number): MarkHit | undefined {
    if (this.size === 0 || !this.#mayHave(value)) return undefined;
    if (reaches(this.#revoke, value, version, now)) return 'revoked';
    return reaches(this.#stale, value, version, now) ? 'stale' : undefined;
  }

  /** How many marks it took the place of, `known` or `full`. */
  add(value: string, kind: MarkKind, below: number, until: number, room: boolean): number {
    const bounds = kind === 'revoke' ? this.#revoke : this.#stale;
    let kept: Bound | undefined;
    let replaced = 0;
    for (let bound = bounds.get(value); bound !== undefined; bound = bound.next) {
      if (bound.below >= below && bound.until >= until) return known;
      if (bound.below <= below && bound.until <= until) replaced += 1;
      else kept = { below: bound.below, until: bound.until, next: kept };
    }
    if (replaced === 0 && !room) return full;
    bounds.set(value, { below, until, next: kept });
    this.size += 1 - replaced;
    mark(this.#spots, value);
    mark(this.#spotsAfterSweep, value);
    return replaced;
  }

  /** Drops what is over in the next piece. */
  sweep(now: number): Swept {
    const left = this.#left ?? this.#all();
    this.#left = left;
    const before = this.size;
    let earliest = Number.POSITIVE_INFINITY;
    for (let looked = 0; looked < piece; looked += 1) {
      const next = left.next();
      if (next.done === true) {
        this.#left = undefined;
        [this.#spots, this.#spotsAfterSweep] = [this.#spotsAfterSweep, this.#spots.fill(0)];
        return { dropped: before - this.size, looked: looked * slotsEach, earliest, done: true };
      }
      earliest = Math.min(earliest, this.#drop(next.value[0], next.value[1], now));
    }
    return { dropped: before - this.size, looked: piece * slotsEach, earliest, done: false };
  }

  *list(): Iterable<Mark> {
    for (const kind of ['revoke', 'stale'] as const) {
      for (const [value, first] of kind === 'revoke' ? this.#revoke : this.#stale) {
        for (let bound: Bound | undefined = first; bound !== undefined; bound = bound.next) {
          yield {
            kind,
            by: this.#by,
            value,
            ...(bound.below === Number.POSITIVE_INFINITY ? {} : { below: bound.below }),
            ...(bound.until === Number.POSITIVE_INFINITY ? {} : { until: bound.until }),
          };
        }
      }
    }
  }

  #mayHave(value: string): boolean {
    const spot = spotOf(value) >>> (32 - spotBits);
    return ((this.#spots[spot >> 3]! >> (spot & 7)) & 1) === 1;
  }

  /** A map may change while it is walked through. */
  *#all(): Generator<readonly [Bounds, string]> {
    for (const bounds of [this.#revoke, this.#stale]) {
      for (const value of bounds.keys()) yield [bounds, value];
    }
  }

  /** When the first of those that stay will be over. */
  #drop(bounds: Bounds, value: string, now: number): number {
    let kept: Bound | undefined;
    let earliest = Number.POSITIVE_INFINITY;
    let dropped = 0;
    for (let bound = bounds.get(value); bound !== undefined; bound = bound.next) {
      if (bound.until <= now) {
        dropped += 1;
      } else {
        kept = { below: bound.below, until: bound.until, next: kept };
        earliest = Math.min(earliest, bound.until);
      }
    }
    if (kept !== undefined) mark(this.#spotsAfterSweep, value);
    if (kept === undefined) bounds.delete(value);
    else if (dropped > 0) bounds.set(value, kept);
    this.size -= dropped;
    return earliest;
  }
}

function reaches(bounds: Bounds, value: string, version: number, now: number): boolean {
  for (let bound = bounds.get(value); bound !== undefined; bound = bound.next) {
    if (version < bound.below && bound.until > now) return true;
  }
  return false;
}

function mark(spots: Uint8Array, value: string): void {
  const spot = spotOf(value) >>> (32 - spotBits);
  spots[spot >> 3]! |= 1 << (spot & 7);
}
