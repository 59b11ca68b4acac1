// The two written forms of an ECDSA signature: r‖s of fixed length, which JOSE uses (RFC 7518 §3.4), and DER, which the
// fast call of node:crypto wants. Passing `dsaEncoding: 'ieee-p1363'` instead costs 27 µs a verification and half the
// signing speed on Node 24, so the conversion is done here, by hand and with one allocation.
//
// Rules: r and s lie in [1, n-1]; what we sign has the lower of the two possible s, so that our own tokens have no twin.
import { Buffer } from 'node:buffer';
import { createScratch } from './scratch.ts';

export interface Curve {
  /** Bytes in r and in s. */
  readonly size: number;
  /** The group order n, big-endian. */
  readonly order: Uint8Array;
  /** (n - 1) / 2: the largest "low" s. */
  readonly half: Uint8Array;
}

export function curve(orderHex: string): Curve {
  const order = Buffer.from(orderHex, 'hex');
  const half = ((BigInt(`0x${orderHex}`) - 1n) / 2n).toString(16).padStart(orderHex.length, '0');
  return { size: order.length, order, half: Buffer.from(half, 'hex') };
}

/** Big-endian compare of `bytes[at …]` with `limit`: negative, zero or positive. */
function compareAt(bytes: Uint8Array, at: number, limit: Uint8Array): number {
  for (let i = 0; i < limit.length; i++) {
    const difference = bytes[at + i]! - limit[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function isZeroAt(bytes: Uint8Array, at: number, size: number): boolean {
  for (let i = 0; i < size; i++) if (bytes[at + i] !== 0) return false;
  return true;
}

/** Whether `signature` is r‖s of the right length with both numbers in [1, n-1] (the "psychic" zeros of CVE-2022-21449 are not). */
export function isRawSignature(signature: Uint8Array, { size, order }: Curve): boolean {
  return (
    signature.length === 2 * size &&
    compareAt(signature, 0, order) < 0 &&
    compareAt(signature, size, order) < 0 &&
    !isZeroAt(signature, 0, size) &&
    !isZeroAt(signature, size, size)
  );
}

/** Whether s is the lower one of s and n - s. For any message and key both verify, so a signature is only unique with one refused. */
export function isLowS(signature: Uint8Array, { size, half }: Curve): boolean {
  return compareAt(signature, size, half) <= 0;
}

/** The longest: two numbers of P-384, each with a sign byte. */
const derBytes = createScratch(6 + 2 * 49);

/**
 * DER (X.690) of a signature that {@link isRawSignature} has passed; good until the next call. Sequences up to 127 bytes only:
 * true of P-256 and P-384.
 */
export function rawToDer(raw: Uint8Array, { size }: Curve): Buffer {
  const rStart = firstByte(raw, 0, size);
  const sStart = firstByte(raw, size, 2 * size);
  const rPad = raw[rStart]! >> 7;
  const sPad = raw[sStart]! >> 7;
  const rLength = size - rStart + rPad;
  const sLength = 2 * size - sStart + sPad;
  const der = derBytes.first(6 + rLength + sLength);
  der[0] = 0x30;
  der[1] = 4 + rLength + sLength;
  writeInteger(der, 2, raw, rStart, size, rPad);
  writeInteger(der, 4 + rLength, raw, sStart, 2 * size, sPad);
  return der;
}

function firstByte(raw: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to - 1 && raw[at] === 0) at++;
  return at;
}

function writeInteger(der: Buffer, at: number, raw: Uint8Array, from: number, to: number, pad: number): void {
  der[at] = 0x02;
  der[at + 1] = to - from + pad;
  // A first bit of one would make the number negative.
  if (pad === 1) der[at + 2] = 0;
  let target = at + 2 + pad;
  for (let i = from; i < to; i++) der[target++] = raw[i]!;
}

/** r‖s of a DER signature that node:crypto has just made, with the lower s. */
export function derToRaw(der: Uint8Array, { size, order, half }: Curve): Buffer {
  const raw = Buffer.allocUnsafe(2 * size);
  const rLength = der[3]!;
  copyInteger(der, 4, rLength, raw, 0, size);
  copyInteger(der, 6 + rLength, der[5 + rLength]!, raw, size, 2 * size);
  if (compareAt(raw, size, half) > 0) subtractFrom(order, raw, size);
  return raw;
}

/** Copies `length` bytes to `raw[start … end]`, without the sign byte and with zeros in front. */
function copyInteger(
  der: Uint8Array,
  at: number,
  length: number,
  raw: Buffer,
  start: number,
  end: number,
): void {
  const from = der[at] === 0 ? at + 1 : at;
  let target = start;
  for (const first = end - (at + length - from); target < first; target++) raw[target] = 0;
  for (let i = from; i < at + length; i++) raw[target++] = der[i]!;
}

/** bytes[at …] = order - bytes[at …] */
function subtractFrom(order: Uint8Array, bytes: Buffer, at: number): void {
  let borrow = 0;
  for (let i = order.length - 1; i >= 0; i--) {
    const difference = order[i]! - bytes[at + i]! - borrow;
    borrow = difference < 0 ? 1 : 0;
    bytes[at + i] = difference + (borrow << 8);
  }
}
