// Tokens whose signature and shape were found good: a bounded cache of that finding, never of a decision. A request's token is
// nearly always one seen before, and looking it up costs a fiftieth of checking its signature.
//
// Rules, each of them somebody's CVE: an entry is found only by the whole token, compared character by character; only successes
// are kept; whoever uses a hit still checks expiry, audience, revocation and policy; the cache is bounded in bytes; what comes out
// is frozen. Withdrawn keys: `clear()`. Nothing that means "revoked" or "used" may ever be kept by a token's text: see `marks.ts`.
//
// How: open addressing on characters of the signature, which nobody chooses, in two generations. When the younger one is full it
// becomes the older one and the older one is dropped; a hit in the older one moves the entry to the younger.
import { Buffer } from 'node:buffer';
import type { VerifiedToken } from '../access_token.ts';
import { maxTokenLength } from '../jws.ts';

export interface SignatureCache {
  /** What was found of exactly this token, or undefined. */
  get(token: string): VerifiedToken | undefined;
  /** Only after `verifyAccessTokenSignature` has returned `verified` for exactly this token. */
  set(token: string, verified: VerifiedToken): void;
  clear(): void;
  readonly size: number;
  /** An estimate, somewhat above what the entries take. Never more than `maxBytes`. */
  readonly bytes: number;
}

/** Slots of an empty generation: a power of two. */
const firstSlots = 256;

/** A cache of at most `maxBytes`; 0 keeps nothing. TypeError for anything that is no number of bytes. */
export function createSignatureCache(maxBytes: number): SignatureCache {
  if (!(Number.isFinite(maxBytes) && maxBytes >= 0))
    throw new TypeError('the size of the cache must be a number of bytes');
  const share = maxBytes / 2;
  let younger = new Generation(firstSlots);
  let older = new Generation(firstSlots);

  function add(token: string, hash: number, verified: VerifiedToken, weight: number): void {
    if (younger.bytes + weight > share) {
      older = younger;
      // It will grow as large as the one before.
      younger = new Generation(older.slots);
    }
    younger.add(token, hash, verified, weight);
  }

  return {
    get(token) {
      const hash = hashOf(token);
      const slot = younger.find(token, hash);
      if (slot >= 0) return younger.valueAt(slot);
      if (older.size === 0) return undefined;
      const olderSlot = older.find(token, hash);
      if (olderSlot < 0) return undefined;
      const verified = older.valueAt(olderSlot);
      const weight = older.weightAt(olderSlot);
      // The stored copy moves, not the caller's string.
      const stored = older.remove(olderSlot);
      add(stored, hash, verified, weight);
      return verified;
    },
    set(token, verified) {
      const weight = weightOf(token, verified);
      if (weight > share) return;
      const hash = hashOf(token);
      if (younger.find(token, hash) >= 0) return;
      // A copy: the caller's string may be a slice that keeps a whole request in memory.
      const copy = copyOf(token);
      if (copy === token) add(copy, hash, verified, weight);
    },
    clear() {
      younger = new Generation(firstSlots);
      older = new Generation(firstSlots);
    },
    get size() {
      return younger.size + older.size;
    },
    get bytes() {
      return younger.bytes + older.bytes;
    },
  };
}

const copyBytes = Buffer.alloc(maxTokenLength);

/** Another string if `token` is longer than any token or not ASCII: such a one is never verified. */
function copyOf(token: string): string {
  return copyBytes.toString('latin1', 0, copyBytes.write(token, 'latin1'));
}

/** Eight characters of the signature, 48 random bits; never the last one, which carries fewer. Never zero: zero is an empty slot. */
function hashOf(token: string): number {
  const end = token.length;
  const high =
    token.charCodeAt(end - 2) ^
    (token.charCodeAt(end - 3) << 6) ^
    (token.charCodeAt(end - 4) << 12) ^
    (token.charCodeAt(end - 5) << 18) ^
    (token.charCodeAt(end - 6) << 24);
  const low =
    token.charCodeAt(end - 7) ^ (token.charCodeAt(end - 8) << 6) ^ (token.charCodeAt(end - 9) << 12);
  const mixed = Math.imul(high ^ Math.imul(low, 0x85ebca6b), 0x9e3779b1);
  return mixed ^ (mixed >>> 15) || 1;
}

/** The bytes an entry takes on a 64-bit machine, rounded up: two strings' worth of text, one object, its slot. */
function weightOf(token: string, { claims }: VerifiedToken): number {
  return 64 + token.length + sizeOf(claims);
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return 32 + value.length * 2;
  if (typeof value !== 'object' || value === null) return 16;
  let bytes = 64;
  const members = value as Readonly<Record<string, unknown>>;
  for (const name in members) bytes += 16 + sizeOf(members[name]);
  return bytes;
}

/** A token and what was found of it stand side by side: a look-up waits for memory, not for the processor. */
type Pairs = (string | VerifiedToken | undefined)[];

class Generation {
  size = 0;
  bytes = 0;
  #hashes: Int32Array;
  #pairs: Pairs;
  #weights: Uint32Array;
  /** Slots that are not empty, removed entries included. */
  #used = 0;

  constructor(slots: number) {
    this.#hashes = new Int32Array(slots);
    this.#pairs = emptyPairs(slots);
    this.#weights = new Uint32Array(slots);
  }

  get slots(): number {
    return this.#hashes.length;
  }

  /** The slot of `token`, or -1. */
  find(token: string, hash: number): number {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    for (let slot = hash & mask; hashes[slot] !== 0; slot = (slot + 1) & mask) {
      if (hashes[slot] === hash && this.#pairs[2 * slot] === token) return slot;
    }
    return -1;
  }

  /** Of a slot that {@link find} gave. */
  valueAt(slot: number): VerifiedToken {
    return this.#pairs[2 * slot + 1] as VerifiedToken;
  }

  weightAt(slot: number): number {
    return this.#weights[slot]!;
  }

  /** `token` must not be here yet. */
  add(token: string, hash: number, verified: VerifiedToken, weight: number): void {
    if (this.#used * 2 >= this.#hashes.length) this.#grow();
    this.#place(token, hash, verified, weight);
    this.size++;
    this.bytes += weight;
  }

  /** Leaves the slot's hash behind, so that what was placed after it is still found. */
  remove(slot: number): string {
    const token = this.#pairs[2 * slot] as string;
    this.size--;
    this.bytes -= this.weightAt(slot);
    this.#pairs[2 * slot] = undefined;
    this.#pairs[2 * slot + 1] = undefined;
    return token;
  }

  #place(token: string, hash: number, verified: VerifiedToken, weight: number): void {
    const mask = this.#hashes.length - 1;
    let slot = hash & mask;
    while (this.#hashes[slot] !== 0) slot = (slot + 1) & mask;
    this.#hashes[slot] = hash;
    this.#pairs[2 * slot] = token;
    this.#pairs[2 * slot + 1] = verified;
    this.#weights[slot] = weight;
    this.#used++;
  }

  /** Only the younger generation grows, and nothing is ever removed from it. */
  #grow(): void {
    const hashes = this.#hashes;
    const pairs = this.#pairs;
    const weights = this.#weights;
    this.#hashes = new Int32Array(hashes.length * 2);
    this.#pairs = emptyPairs(hashes.length * 2);
    this.#weights = new Uint32Array(hashes.length * 2);
    this.#used = 0;
    for (let slot = 0; slot < hashes.length; slot++) {
      if (hashes[slot] === 0) continue;
      this.#place(
        pairs[2 * slot] as string,
        hashes[slot]!,
        pairs[2 * slot + 1] as VerifiedToken,
        weights[slot]!,
      );
    }
  }
}

function emptyPairs(slots: number): Pairs {
  return new Array<undefined>(2 * slots).fill(undefined);
}
