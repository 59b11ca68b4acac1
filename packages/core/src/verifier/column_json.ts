// JSON with long lists, parsed piece by piece: a snapshot of a million marks would otherwise hold up every request for a third of a
// second. The long lists of a snapshot are those four levels deep (`marks[…].values`): they are cut at their commas and
// handed to the native parser a piece at a time. What is left of the document is small and is parsed at the end. Whether the
// bytes may be believed is asked before.
import { isUtf8 } from 'node:buffer';

export interface ColumnJson {
  /** Throws SyntaxError. */
  push(chunk: Uint8Array): void;
  /** The value that `JSON.parse` makes of all chunks together. Throws SyntaxError where it would. */
  end(): unknown;
}

const columnDepth = 4;
/** Bytes that go to the native parser at once. */
const pieceLength = 65_536;

const quote = 0x22;
const comma = 0x2c;
const openList = 0x5b;
const backslash = 0x5c;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

export function createColumnJson(): ColumnJson {
  const columns: unknown[][] = [];
  /** The document, with `[n]` in the place of the column with this number. */
  const skeleton: Uint8Array[] = [];
  const strings = createStringSkipper();
  /** What was looked at and not taken: the beginning of a value in a column. */
  let rest: Uint8Array = new Uint8Array();
  let depth = 0;
  let inColumn = false;

  const takePiece = (piece: Uint8Array, isLast: boolean): void => {
    const column = columns.at(-1) as unknown[];
    const values = JSON.parse(`[${textOf(piece)}]`) as unknown[];
    if (values.length === 0 && !(isLast && column.length === 0)) throw new SyntaxError('a comma too many');
    for (const value of values) column.push(value);
  };

  /** From `from`, outside of columns, to behind the beginning of one or to the end. */
  const takeSkeleton = (bytes: Uint8Array, from: number): number => {
    for (let at = from; at < bytes.length; at += 1) {
      if (strings.skips(bytes[at]!)) continue;
      const byte = bytes[at];
      if (byte === openList || byte === openObject) depth += 1;
      else if (byte === closeList || byte === closeObject) depth -= 1;
      if (byte !== openList || depth !== columnDepth) continue;
      skeleton.push(bytes.subarray(from, at), Buffer.from(`[${columns.length}]`));
      columns.push([]);
      inColumn = true;
      return at + 1;
    }
    skeleton.push(bytes.subarray(from));
    return bytes.length;
  };

  /** From `from`, in a column, to behind its end or to the end; `looked` bytes were looked at before. */
  const takeColumn = (bytes: Uint8Array, from: number, looked: number): number => {
    let start = from;
    let lastComma = -1;
    for (let at = from + looked; at < bytes.length; at += 1) {
      if (strings.skips(bytes[at]!)) continue;
      const byte = bytes[at];
      if (byte === openList || byte === openObject) depth += 1;
      else if (byte === closeList || byte === closeObject) depth -= 1;
      if (depth < columnDepth) {
        if (byte !== closeList) throw new SyntaxError('a list that ends as an object');
        takePiece(bytes.subarray(start, at), true);
        inColumn = false;
        return at + 1;
      }
      if (byte !== comma || depth !== columnDepth) continue;
      lastComma = at;
      if (at - start < pieceLength) continue;
      takePiece(bytes.subarray(start, at), false);
      start = at + 1;
    }
    if (lastComma >= start) {
      takePiece(bytes.subarray(start, lastComma), false);
      start = lastComma + 1;
    }
    rest = bytes.subarray(start);
    return bytes.length;
  };

  return {
    push(chunk) {
      let looked = rest.length;
      const bytes = looked === 0 ? chunk : Buffer.concat([rest, chunk]);
      rest = new Uint8Array();
      for (let at = 0; at < bytes.length; looked = 0) {
        at = inColumn ? takeColumn(bytes, at, looked) : takeSkeleton(bytes, at);
      }
    },
    end() {
      if (inColumn || depth !== 0) throw new SyntaxError('not the whole document');
      return withColumns(JSON.parse(textOf(Buffer.concat(skeleton))), 1, columns);
    },
  };
}

/** Tells the inside of strings, their quotes included, from everything else. */
function createStringSkipper(): { skips(byte: number): boolean } {
  let inside = false;
  let escaped = false;
  return {
    skips(byte) {
      if (!inside) {
        inside = byte === quote;
        return inside;
      }
      if (escaped) escaped = false;
      else if (byte === backslash) escaped = true;
      else if (byte === quote) inside = false;
      return true;
    },
  };
}

function textOf(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new SyntaxError('not UTF-8');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Puts the columns where they belong; `value` is at `depth`. */
function withColumns(value: unknown, depth: number, columns: readonly unknown[][]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === columnDepth && Array.isArray(value)) return columns[value[0] as number];
  if (Array.isArray(value)) return value.map((one) => withColumns(one, depth + 1, columns));
  for (const [name, one] of Object.entries(value)) {
    // Not by assignment: a member may be called `__proto__`.
    Object.defineProperty(value, name, { value: withColumns(one, depth + 1, columns) });
  }
  return value;
}
