// Server-sent events, as much of them as signals use: `event`, `data`, `id` and comments, lines that end in LF or CRLF.
// Bounded: a line or a frame beyond the limit is a fault, so a hostile or broken sender cannot make us hold its bytes.
// A frame that the stream ends in the middle of never reaches the caller.

export interface Frame {
  readonly event: string;
  readonly data: string;
  /** Absent when the frame has no id line of its own. */
  readonly id: string | undefined;
}

/** The sender broke the protocol; the message names the rule and holds nothing that was sent. */
export class StreamFault extends Error {
  override readonly name = 'StreamFault';
}

const maxLine = 8_192;
const maxData = 16_384;

/** Returns a function that takes bytes as they arrive and calls `onFrame` for each complete frame in them. */
export function createFrameReader(onFrame: (frame: Frame) => void): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let pending = '';
  let event = '';
  let data: string | undefined;
  let id: string | undefined;

  const endFrame = (): void => {
    const frame = { event: event === '' ? 'message' : event, data: data ?? '', id };
    const empty = event === '' && data === undefined && id === undefined;
    event = '';
    data = undefined;
    id = undefined;
    if (!empty) onFrame(frame);
  };

  const takeLine = (line: string): void => {
    if (line === '') {
      endFrame();
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1);
    if (field === 'event') event = value;
    else if (field === 'id') id = value;
    else if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
    if (data !== undefined && data.length > maxData) throw new StreamFault('a frame is too long');
  };

  return (chunk) => {
    pending += decode(decoder, chunk);
    let start = 0;
    for (let end = pending.indexOf('\n'); end !== -1; end = pending.indexOf('\n', start)) {
      if (end - start > maxLine) throw new StreamFault('a line is too long');
      takeLine(pending.slice(start, pending.charCodeAt(end - 1) === 0x0d && end > start ? end - 1 : end));
      start = end + 1;
    }
    pending = pending.slice(start);
    if (pending.length > maxLine) throw new StreamFault('a line is too long');
  };
}

function decode(decoder: TextDecoder, chunk: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: true });
  } catch {
    throw new StreamFault('the stream is not UTF-8');
  }
}
