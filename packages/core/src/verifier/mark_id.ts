// Identifiers as Latchkey makes them (`jti`, `sid`, and `sub` behind `usr_`): 22 characters of base64url, 128 random bits. The set of
// marks keeps those bits instead of the text, which takes a third of the memory and leaves nothing for the garbage collector.
// Only the canonical text of 128 bits is one: of two texts with the same bits, the one with spare bits set is refused here,
// so that a mark on one never hits, hides or replaces a mark on the other.
//
// The hash is simple tabulation (Zobrist; Pătraşcu and Thorup, 2012): sixteen bytes, each with its own 256 random words, drawn anew in every
// process. Whoever chooses identifiers without knowing the words cannot make them meet, and linear probing stays short for
// any set of them. A multiplicative hash with a seed was refused: there are inputs that collide under every seed.
import { Buffer } from 'node:buffer';
import { randomFillSync } from 'node:crypto';

export const idLength = 22;

const values = new Int8Array(128).fill(-1);
for (const [value, character] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
].entries()) {
  values[character.charCodeAt(0)] = value;
}

/** Six bits, or -1. */
function sextet(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? values[code]! : -1;
}

/** Thirty bits, or something negative: -1 stays negative wherever it is shifted to. */
function five(text: string, at: number): number {
  return (
    (sextet(text, at) << 24) |
    (sextet(text, at + 1) << 18) |
    (sextet(text, at + 2) << 12) |
    (sextet(text, at + 3) << 6) |
    sextet(text, at + 4)
  );
}

/** Writes the four words of the identifier that is the end of `text`; false, with rubbish written, when that is none. */
export function readId(text: string, words: Int32Array): boolean {
  const at = text.length - idLength;
  const a = five(text, at);
  const b = five(text, at + 5);
  const c = five(text, at + 10);
  const d = five(text, at + 15);
  const e = sextet(text, at + 20);
  const f = sextet(text, at + 21);
  words[0] = (a << 2) | (b >> 28);
  words[1] = (b << 4) | (c >> 26);
  words[2] = (c << 6) | (d >> 24);
  words[3] = (d << 8) | (e << 2) | (f >> 4);
  return (a | b | c | d | e | f) >= 0 && (f & 15) === 0;
}

const bytes = Buffer.alloc(16);

/** The text of the four words from `at` on. */
export function writeId(words: Int32Array, at: number): string {
  for (let i = 0; i < 4; i += 1) bytes.writeInt32BE(words[at + i]!, 4 * i);
  return bytes.toString('base64url');
}

const table = randomFillSync(new Int32Array(16 * 256));

function hashWord(word: number, from: number): number {
  return (
    table[from + (word & 255)]! ^
    table[from + 256 + ((word >>> 8) & 255)]! ^
    table[from + 512 + ((word >>> 16) & 255)]! ^
    table[from + 768 + (word >>> 24)]!
  );
}

/** 32 bits for the four words from `at` on, the same all through this process. */
export function hashId(words: Int32Array, at: number): number {
  return (
    hashWord(words[at]!, 0) ^
    hashWord(words[at + 1]!, 1024) ^
    hashWord(words[at + 2]!, 2048) ^
    hashWord(words[at + 3]!, 3072)
  );
}
