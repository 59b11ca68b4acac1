// A refusal to a client that may still be sending. A short body is read and thrown away, so that the connection can be used
// again. A long one is not waited for; but to close at once would reset the connection and lose the answer (RFC 9112 §9.6), so
// the answer goes out first and the client has a moment to take it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fieldOf } from './mutate.ts';
import { type Refusal, type RefusalReason, sendRefusal } from './refusals.ts';

const shortBody = 64 * 1024;
/** What a client may still send after a refusal, and for how long (milliseconds). */
const lingerBytes = 256 * 1024;
const lingerTime = 1_000;

/** After these the bytes that follow may not be what they seem, or never come: the connection ends. */
const doubtful = new Set<RefusalReason>([
  'bad_framing',
  'bad_host',
  'ambiguous_headers',
  'too_many_headers',
  'bad_request',
  'slow_request',
]);

export interface RefusedRequest {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** True when this should be the last answer of the connection. */
  readonly closing: boolean;
}

/** Answers with the refusal, or breaks off an answer that has already begun. */
export function refuseRequest(
  { incoming, response, requestId, closing }: RefusedRequest,
  refusal: Refusal,
): void {
  if (response.headersSent) {
    incoming.socket.destroy();
    return;
  }
  if (response.destroyed) return;
  incoming.removeAllListeners('data');
  if (incoming.complete || isShort(incoming)) {
    sendRefusal(response, refusal, requestId, { close: closing || doubtful.has(refusal.reason) });
    incoming.resume();
    return;
  }
  sendRefusal(response, refusal, requestId, { close: true, finish: false });
  linger(incoming, () => response.end());
}

/** A client that waits for 100 sends no body after a refusal: its connection cannot be used again (RFC 9110 §10.1.1). */
function isShort({ rawHeaders }: IncomingMessage): boolean {
  if (fieldOf(rawHeaders, 'transfer-encoding') !== undefined || fieldOf(rawHeaders, 'expect') !== undefined)
    return false;
  return Number(fieldOf(rawHeaders, 'content-length') ?? 0) <= shortBody;
}

function linger(incoming: IncomingMessage, end: () => void): void {
  let bytes = 0;
  const timer = setTimeout(end, lingerTime);
  const stop = () => {
    clearTimeout(timer);
    end();
  };
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > lingerBytes) stop();
  });
  incoming.once('end', stop);
  incoming.once('error', stop);
  incoming.resume();
}
