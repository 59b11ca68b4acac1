// Names for a request: the id that every log line and answer carries, and the W3C trace context. Random bytes are drawn in
// blocks, because one call for each request costs more than everything else here.
import { randomFillSync } from 'node:crypto';

const block = Buffer.alloc(4096);
let used = block.length;

function randomHex(bytes: number): string {
  if (used + bytes > block.length) {
    randomFillSync(block);
    used = 0;
  }
  used += bytes;
  return block.toString('hex', used - bytes, used);
}

/** 128 random bits in hex. */
export function newRequestId(): string {
  return randomHex(16);
}

/** A request id that a trusted proxy may hand down. */
export function isRequestId(text: string): boolean {
  return /^[A-Za-z0-9._-]{8,128}$/.test(text);
}

/** W3C Trace Context §3.2: version 00, ids not all zero. */
export function isTraceparent(text: string): boolean {
  return /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(text);
}

/** A new trace, not sampled: whoever samples sets the flag. */
export function newTraceparent(): string {
  return `00-${randomHex(16)}-${randomHex(8)}-00`;
}
