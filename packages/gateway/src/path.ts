// Is there exactly one way to read this path? The gateway forwards the bytes it matched, so every spelling that some
// server may read as another path is refused instead of being repaired (RFC 3986 §6.2 lists what others normalise away).
//
// Refused: a path that does not start with one slash; empty, `.` and `..` segments and segments that end in a dot; `\`, `;`,
// `#`; anything outside visible ASCII; broken percent-encodings, overlong UTF-8; percent-encodings of letters, digits, `-._~`
// (the same as the bare character), of `/ \ ; ? #` and control characters; a second layer of encoding; characters that
// compatibility normalisation turns into one of these.

/** Why the path is ambiguous, or undefined when it has one reading. The words are for logs, not for clients. */
export function pathFault(path: string): string | undefined {
  if (path.charCodeAt(0) !== slash) return 'does not start with a slash';
  let previous = slash;
  let beyondAscii = false;
  for (let index = 1; index < path.length; index += 1) {
    const code = path.charCodeAt(index);
    if (code >= 128 || bare[code] !== 1) return 'has a character that does not belong in a path';
    if (code === percent) {
      const byte = hexByte(path, index + 1);
      if (byte < 0) return 'has a broken percent-encoding';
      if (byte >= 128) beyondAscii = true;
      else if (encoded[byte] !== 1) return 'encodes a character that must be bare or absent';
      else if (byte === percent && startsAnotherEncoding(path, index + 3)) return 'is encoded twice';
      else if (byte === space && (previous === slash || endsSegment(path, index + 3)))
        return 'has a segment edged with a space';
      index += 2;
      previous = percent;
      continue;
    }
    if (code === slash) {
      if (previous === slash) return 'has an empty segment';
      if (previous === dot) return 'has a segment that ends in a dot';
    }
    previous = code;
  }
  if (previous === dot) return 'has a segment that ends in a dot';
  return beyondAscii ? unicodeFault(path) : undefined;
}

/** True when the query has only visible ASCII and no `#`. Its content is the service's business. */
export function isPlainQuery(query: string): boolean {
  return /^[!-"$-~]*$/.test(query);
}

const slash = 0x2f;
const dot = 0x2e;
const percent = 0x25;
const space = 0x20;

/** RFC 3986 pchar without `;`, and `[ ] |`, which browsers send bare. */
const bare = flags("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,=:@%/[]|");
/** ASCII that may stand percent-encoded: it is neither unreserved nor a delimiter that routers look at. */
const encoded = flags(' !"$%&\'()*+,:<=>@[]^`{|}');

function flags(characters: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function hexByte(text: string, index: number): number {
  const high = hexDigit(text.charCodeAt(index));
  const low = hexDigit(text.charCodeAt(index + 1));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** After `%25`: two hex digits, or the `u` of the old `%uXXXX` form, would make an encoding when decoded again. */
function startsAnotherEncoding(path: string, index: number): boolean {
  return hexByte(path, index) >= 0 || (path.charCodeAt(index) | 0x20) === 0x75;
}

function endsSegment(path: string, index: number): boolean {
  return index >= path.length || path.charCodeAt(index) === slash;
}

function unicodeFault(path: string): string | undefined {
  let text: string;
  try {
    text = decodeURIComponent(path);
  } catch {
    return 'is not valid UTF-8';
  }
  const beyond = text.replace(/[ -~]/g, '');
  if (/\p{Cc}|[\u2028\u2029\ufeff]/u.test(beyond)) return 'has a control character';
  // The slashes of mathematics do not normalise, but are read as `/` often enough.
  return /[/\\.;%?#]|\u2044|\u2215|\u29f5|\u29f8/.test(beyond + beyond.normalize('NFKC'))
    ? 'has a character that normalises to a delimiter'
    : undefined;
}
