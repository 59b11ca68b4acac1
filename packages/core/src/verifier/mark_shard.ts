// One part of the table of marks: open addressing with linear probing. A slot is a byte of the entry's hash, zero where it is empty,
// and apart from these bytes the entry itself, six words:
//
//   until, high 10 bits; version 19 bits; field and kind 3 bits | until, low 32 bits | the identifier, 4 words
//
// Milliseconds in 42 bits last until 2109. Several marks on one identifier are several entries. Most look-ups find nothing, and
// those end at the bytes, which a processor's cache holds for a million marks, as it would not hold the entries.
//
// Entries stand in the order of their hashes, so growing copies from one end to the other instead of jumping about. One that is
// removed is gone at once and those behind it move up: there are no graves, and a look-up costs the same however long the
// process runs.
import { hashId, writeId } from './mark_id.ts';
import type { MarkHit } from './mark_shape.ts';

/** What an identifier is of. Even numbers: the lowest bit says `revoke`. */
export const fields = { jti: 0, sid: 2, sub: 4, user: 6 } as const;
export type Field = (typeof fields)[keyof typeof fields];

/** The version of a mark that hits every token; those of others are lower. */
export const everyVersion = 2 ** 19 - 1;
/** The last moment that fits: it means for ever. */
export const lastMoment = 2 ** 42 - 1;

const words = 6;
const fewestSlots = 16;
const fullest = 0.7;
const growth = 1.5;
const loose = 0.6;
const emptiest = 0.2;
const lowBits = 2 ** 32;
const hashBits = 26;
const hashMask = 2 ** hashBits - 1;

/** The first word of an entry. */
export function headOf(field: Field, revoke: boolean, below: number, until: number): number {
  return (Math.floor(until / lowBits) << 22) | (below << 3) | field | (revoke ? 1 : 0);
}

function belowOf(head: number): number {
  return (head >>> 3) & everyVersion;
}

/** What became of an addition: how many marks the new one took the place of, or that nothing changed. */
export const known = -1;
export const full = -2;

export interface Swept {
  readonly dropped: number;
  /** How much work it was, in slots. */
  readonly looked: number;
  /** The first moment at which there is something to drop again. */
  readonly earliest: number;
  /** All of it was looked at, not a piece. */
  readonly done: boolean;
}

export class MarkShard {
  size = 0;
  #tags = new Uint8Array(fewestSlots);
  #entries = new Int32Array(fewestSlots * words);
  readonly #counts: Int32Array;

  /** `counts` is kept by all shards together: how many entries there are of each field, at half its number. */
  constructor(counts: Int32Array) {
    this.#counts = counts;
  }

  /** `id` holds the four words, `hash` is theirs. */
  find(id: Int32Array, hash: number, field: Field, version: number, now: number): MarkHit | undefined {
    const tags = this.#tags;
    const tag = tagOf(hash);
    let found: MarkHit | undefined;
    for (let slot = this.#home(hash); tags[slot] !== 0; slot = this.#after(slot)) {
      if (tags[slot] !== tag) continue;
      const head = this.#entries[slot * words]!;
      if ((head & 6) !== field || !this.#isAt(slot, id)) continue;
      if (version >= belowOf(head) || this.#until(slot) <= now) continue;
      if ((head & 1) === 1) return 'revoked';
      found = 'stale';
    }
    return found;
  }

  /** An entry with this head and time. Those that say no more than it does make way for it. */
  add(id: Int32Array, hash: number, head: number, until: number, room: boolean): number {
    const below = belowOf(head);
    const tag = tagOf(hash);
    let replaced = 0;
    let slot = this.#home(hash);
    while (this.#tags[slot] !== 0) {
      if (this.#tags[slot] === tag && this.#isLike(slot, id, head)) {
        const otherBelow = belowOf(this.#entries[slot * words]!);
        const otherUntil = this.#until(slot);
        if (otherBelow >= below && otherUntil >= until) return known;
        if (otherBelow <= below && otherUntil <= until) {
          this.#remove(slot);
          replaced += 1;
          continue;
        }
      }
      slot = this.#after(slot);
    }
    if (replaced === 0 && !room) return full;
    if (this.size >= this.#tags.length * fullest) {
      this.#resize(Math.ceil(this.#tags.length * growth));
      slot = this.#free(hash);
    }
    this.#write(slot, id, head, until);
    this.#tags[slot] = tag;
    return replaced;
  }

  sweep(now: number): Swept {
    const before = this.size;
    const slots = this.#tags.length;
    let earliest = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < slots; ) {
      const until = this.#tags[slot] === 0 ? Number.POSITIVE_INFINITY : this.#until(slot);
      if (until <= now) {
        // Another one may stand there now.
        this.#remove(slot);
      } else {
        if (until < earliest) earliest = until;
        slot += 1;
      }
    }
    if (slots > fewestSlots && this.size < slots * emptiest) this.#resize(Math.ceil(this.size / loose));
    return { dropped: before - this.size, looked: slots, earliest, done: true };
  }

  /** Makes room for `size` entries, and some more, in one step. */
  reserve(size: number): void {
    if (size > this.#tags.length * fullest) this.#resize(Math.ceil(size / loose));
  }

  /** Calls `each` for every entry: field and kind, identifier, version and time. */
  list(each: (kind: number, id: string, below: number, until: number) => void): void {
    for (let slot = 0; slot < this.#tags.length; slot += 1) {
      if (this.#tags[slot] === 0) continue;
      const head = this.#entries[slot * words]!;
      each(head & 7, writeId(this.#entries, slot * words + 2), belowOf(head), this.#until(slot));
    }
  }

  /** The slot of an entry with this hash, if nothing stands there yet. Hashes in order give slots in order. */
  #home(hash: number): number {
    return Math.floor((hash & hashMask) * this.#tags.length * 2 ** -hashBits);
  }

  #after(slot: number): number {
    return slot + 1 === this.#tags.length ? 0 : slot + 1;
  }

  #isAt(slot: number, id: Int32Array): boolean {
    const entries = this.#entries;
    const at = slot * words + 2;
    return (
      entries[at] === id[0] &&
      entries[at + 1] === id[1] &&
      entries[at + 2] === id[2] &&
      entries[at + 3] === id[3]
    );
  }

  /** Of the same identifier, field and kind. */
  #isLike(slot: number, id: Int32Array, head: number): boolean {
    return ((this.#entries[slot * words]! ^ head) & 7) === 0 && this.#isAt(slot, id);
  }

  #until(slot: number): number {
    const at = slot * words;
    return (this.#entries[at]! >>> 22) * lowBits + (this.#entries[at + 1]! >>> 0);
  }

  #free(hash: number): number {
    let slot = this.#home(hash);
    while (this.#tags[slot] !== 0) slot = this.#after(slot);
    return slot;
  }

  #write(slot: number, id: Int32Array, head: number, until: number): void {
    const entries = this.#entries;
    const at = slot * words;
    entries[at] = head;
    entries[at + 1] = until;
    for (let i = 0; i < 4; i += 1) entries[at + 2 + i] = id[i]!;
    this.#count(head, 1);
  }

  #count(head: number, change: number): void {
    this.size += change;
    this.#counts[(head & 6) >> 1]! += change;
  }

  /** Moves up whoever stands behind and would be looked for in the gap or before it. */
  #remove(slot: number): void {
    this.#count(this.#entries[slot * words]!, -1);
    let gap = slot;
    for (let next = this.#after(gap); this.#tags[next] !== 0; next = this.#after(next)) {
      const home = this.#home(hashId(this.#entries, next * words + 2));
      const reachable = gap < next ? home > gap && home <= next : home > gap || home <= next;
      if (reachable) continue;
      copyEntry(this.#entries, next, this.#entries, gap);
      this.#tags[gap] = this.#tags[next]!;
      gap = next;
    }
    this.#tags[gap] = 0;
  }

  #resize(slots: number): void {
    const entries = this.#entries;
    const tags = this.#tags;
    this.#tags = new Uint8Array(Math.max(slots, fewestSlots));
    this.#entries = new Int32Array(this.#tags.length * words);
    for (let slot = 0; slot < tags.length; slot += 1) {
      if (tags[slot] === 0) continue;
      const free = this.#free(hashId(entries, slot * words + 2));
      copyEntry(entries, slot, this.#entries, free);
      this.#tags[free] = tags[slot]!;
    }
  }
}

/** Of the bits that say least about the slot. Never zero. */
function tagOf(hash: number): number {
  return hash & 255 || 1;
}

function copyEntry(from: Int32Array, slot: number, to: Int32Array, toSlot: number): void {
  for (let i = 0; i < words; i += 1) to[toSlot * words + i] = from[slot * words + i]!;
}
