// JSON that means one thing only. Parsers disagree about duplicate keys, broken UTF-8, byte order marks, half surrogate pairs
// and huge numbers, and each disagreement between the one who checks and the one who acts is an attack. All of them are
// refused here (RFC 8259 §4, §8; RFC 7493), and so are the key `__proto__`, which turns a later copy into something else, and
// keys with a backslash, which V8 itself mixes up.
//
// How duplicates are found at little cost: V8's own parser drops the first of two members. What it dropped has left a trace
// in the text: two quotes more than the result has strings. And a text that is as short as its value can be written has no
// room for anything dropped, which is true of nearly every token and much faster to see.
import { Buffer, isUtf8 } from 'node:buffer';

export interface StrictJsonOptions {
  /** How deep objects and arrays may nest, the outermost counted. @default 8 */
  readonly maxDepth?: number;
}

/**
 * Parses UTF-8 bytes. Throws SyntaxError, whose message never holds a part of the text, for anything that is not JSON or not
 * unambiguous: see the top of this module. Does not limit the size: do that before.
 */
export function parseStrictJson(data: Uint8Array, options?: StrictJsonOptions): unknown {
  const bytes = data instanceof Buffer ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const text = bytes.toString('utf8');
  // Broken UTF-8 is decoded to U+FFFD, one for at most one byte. Without any, as many characters as bytes means ASCII.
  if (text.length !== bytes.length || text.includes('\ufffd')) {
    if (!isUtf8(bytes)) throw new SyntaxError('not UTF-8');
  }
  return parseText(text, options?.maxDepth ?? 8);
}

function parseText(text: string, maxDepth: number): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // V8's message quotes the text, and this text may be secret.
    throw new SyntaxError('not JSON');
  }
  const escapes = text.includes('\\');
  const shortest = shortestLength(value, maxDepth);
  if (escapes || shortest !== text.length) {
    if (countStrings(value, escapes) * 2 !== countQuotes(text)) throw new SyntaxError('duplicate key');
  }
  return value;
}

/**
 * The length of the shortest JSON text, without escapes, for `value`; NaN where that is not plain to see. Refuses what the grammar
 * allows and we do not.
 */
function shortestLength(value: unknown, depth: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value === 'number') return numberLength(value);
  if (typeof value === 'boolean') return value ? 4 : 5;
  if (typeof value !== 'object' || value === null) return 4;
  if (depth === 0) throw new SyntaxError('nested too deeply');
  if (Array.isArray(value)) return arrayLength(value, depth);
  const members = value as Readonly<Record<string, unknown>>;
  let length = 1;
  for (const key in members) {
    if (key === '__proto__') throw new SyntaxError('forbidden key');
    const member = members[key];
    // Quotes, colon, and a comma or the closing brace.
    length += key.length + 4;
    length += typeof member === 'string' ? member.length + 2 : shortestLength(member, depth - 1);
  }
  return length === 1 ? 2 : length;
}

function arrayLength(value: readonly unknown[], depth: number): number {
  let length = 1;
  for (let i = 0; i < value.length; i++) length += 1 + shortestLength(value[i], depth - 1);
  return length === 1 ? 2 : length;
}

/** Digits of a whole number. With three zeros at its end it could be written shorter, as in 1e3: NaN, as for all other numbers. */
function numberLength(value: number): number {
  if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER)
    throw new SyntaxError('number out of range');
  if (value >= 0 && value < 10 && Number.isInteger(value)) return 1;
  if (!Number.isInteger(value) || value < 0 || value % 1000 === 0) return Number.NaN;
  let length = 2;
  for (let limit = 100; value >= limit; limit *= 10) length++;
  return length;
}

/** In valid JSON a backslash stands only inside strings and takes the next character with it. */
function countQuotes(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) count++;
    else if (code === 0x5c) i++;
  }
  return count;
}

/** Keys and string values in `value`. Only an escape can bring half a surrogate pair into text that came from valid UTF-8. */
function countStrings(value: unknown, escapes: boolean): number {
  if (typeof value === 'string') {
    if (escapes && !value.isWellFormed()) throw new SyntaxError('lone surrogate');
    return 1;
  }
  if (typeof value !== 'object' || value === null) return 0;
  const isArray = Array.isArray(value);
  let count = 0;
  for (const [key, member] of Object.entries(value)) {
    count += countStrings(member, escapes);
    if (isArray) continue;
    // V8 of Node 24 and 26 takes the key "\"" for "\\" when it has just seen an object that has "\\" in that place.
    if (key.includes('\\')) throw new SyntaxError('forbidden key');
    count += countStrings(key, escapes);
  }
  return count;
}
