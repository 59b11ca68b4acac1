// JSON that means one thing only. Parsers disagree about duplicate keys, broken UTF-8, byte order marks, half surrogate pairs
// and huge numbers, and each disagreement between the one who checks and the one who acts is an attack. All of them are
// refused here (RFC 8259 §4, §8; RFC 7493), and so is the key `__proto__`, which turns a later copy into something else.
//
// How duplicates are found at little cost: V8's own parser keeps the last of two members. So there is no duplicate exactly
// when the strings that the text holds (pairs of unescaped quotes) are as many as the keys and strings of the result.
import { Buffer, isAscii, isUtf8 } from 'node:buffer';

/** Objects and arrays inside one another, the outermost counted. */
const defaultDepth = 8;

export interface StrictJsonOptions {
  /** How deep objects and arrays may nest. @default 8 */
  readonly maxDepth?: number;
}

/**
 * Parses UTF-8 bytes. Throws SyntaxError, whose message never holds a part of the text, for anything that is not JSON or not
 * unambiguous: see the top of this module. Does not limit the size: do that before.
 */
export function parseStrictJson(data: Uint8Array, options?: StrictJsonOptions): unknown {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (isAscii(bytes)) return parseText(bytes.toString('latin1'), options);
  if (!isUtf8(bytes)) throw new SyntaxError('not UTF-8');
  return parseText(bytes.toString('utf8'), options);
}

function parseText(text: string, options: StrictJsonOptions | undefined): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // V8's message quotes the text, and this text may be secret.
    throw new SyntaxError('not JSON');
  }
  const escapes = text.includes('\\');
  const strings = countStrings(value, options?.maxDepth ?? defaultDepth, escapes);
  if (strings !== (escapes ? countQuotesEscaped(text) : countQuotes(text)) / 2) {
    throw new SyntaxError('duplicate key');
  }
  return value;
}

function countQuotes(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) === 0x22) count++;
  }
  return count;
}

/** In valid JSON a backslash stands only inside strings and takes the next character with it. */
function countQuotesEscaped(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) count++;
    else if (code === 0x5c) i++;
  }
  return count;
}

/** Keys and string values in `value`; refuses what the grammar allows and we do not. */
function countStrings(value: unknown, depth: number, escapes: boolean): number {
  if (typeof value === 'string') {
    // Only an escape can bring half a surrogate pair into text that came from valid UTF-8.
    if (escapes && !value.isWellFormed()) throw new SyntaxError('lone surrogate');
    return 1;
  }
  if (typeof value === 'number') {
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) {
      throw new SyntaxError('number out of range');
    }
    return 0;
  }
  if (typeof value !== 'object' || value === null) return 0;
  if (depth === 0) throw new SyntaxError('nested too deeply');
  let count = 0;
  if (Array.isArray(value)) {
    for (const element of value) count += countStrings(element, depth - 1, escapes);
    return count;
  }
  const members = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(members)) {
    if (key === '__proto__') throw new SyntaxError('forbidden key');
    if (escapes && !key.isWellFormed()) throw new SyntaxError('lone surrogate');
    count += 1 + countStrings(members[key], depth - 1, escapes);
  }
  return count;
}
