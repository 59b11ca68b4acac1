// Base64url without padding (RFC 7515 §2, RFC 4648 §5), strict: a text decodes only if it is exactly what encoding its bytes
// gives. That one rule refuses padding, white space, the other alphabet, and spare bits that are not zero (RFC 4648 §3.5),
// so that two different texts never stand for the same token.
import { Buffer } from 'node:buffer';

/** The bytes, or undefined where `text` is not canonical base64url. The empty text is canonical for no bytes. */
export function decodeBase64url(text: string): Buffer | undefined {
  // Node's decoder is lenient and fast; comparing with the encoding again costs less than a strict decoder in JavaScript.
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

const values = new Int8Array(128).fill(-1);
for (const [value, character] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
].entries()) {
  values[character.charCodeAt(0)] = value;
}

/**
 * The same into `target`, which must be large enough: how many bytes were written, or -1. For code that handles every token
 * of every request and copies what it keeps.
 *
 * Node's decoder passes over what is not of the alphabet, stops at `=`, takes `+` and `/` for `-` and `_`, and a letter beyond ASCII
 * for the one that its lower byte names. So a text of ASCII that fills all the bytes its length has room for, holds neither of
 * those two, and ends without spare bits is the canonical one. Costs no string to compare with, which is most of the price.
 */
export function decodeBase64urlInto(text: string, target: Buffer): number {
  const length = target.write(text, 'base64url');
  const rest = text.length % 4;
  if (rest === 1 || length !== (text.length * 3) >> 2 || Buffer.byteLength(text) !== text.length) return -1;
  if (text.includes('+') || text.includes('/')) return -1;
  if (rest === 0) return length;
  const last = text.charCodeAt(text.length - 1);
  const spare = rest === 2 ? 0x0f : 0x03;
  return last < 128 && (values[last]! & spare) === 0 ? length : -1;
}

/**
 * The same for the end of `text` from `at` on. Made for signatures: at that length a loop is cheaper than two calls out of
 * JavaScript and the strings for them.
 */
export function decodeBase64urlTail(text: string, at: number, target: Uint8Array): number {
  let bits = 0;
  let held = 0;
  let written = 0;
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? values[code]! : -1;
    if (value < 0) return -1;
    held = ((held & 0xff) << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      target[written++] = held >> bits;
    }
  }
  // Spare bits must be zero (RFC 4648 §3.5); six of them are a character too many.
  return bits < 6 && (held & ((1 << bits) - 1)) === 0 ? written : -1;
}

/** Encodes bytes, or the UTF-8 of a text. */
export function encodeBase64url(data: Uint8Array | string): string {
  if (typeof data === 'string') return Buffer.from(data, 'utf8').toString('base64url');
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64url');
}
