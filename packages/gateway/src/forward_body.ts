// Moving bytes with backpressure: nothing is held but what is on its way. The request's body is counted against its limit;
// the answer's reader is cut off when it takes nothing for too long (threat G14, slow read).
import type { Readable, Writable } from 'node:stream';

/**
 * Sends all of `source` into `target` and ends it. When more than `limit` bytes come, stops and calls `onTooLarge` once
 * instead; nothing beyond the limit is sent. Returns a function that stops the pump.
 */
export function pumpRequest(
  source: Readable,
  target: Writable,
  limit: number,
  onEnd: () => void,
  onTooLarge: () => void,
): () => void {
  let bytes = 0;
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limit) {
      stop();
      onTooLarge();
    } else if (!target.write(chunk)) source.pause();
  };
  const onDrain = () => source.resume();
  const onSourceEnd = () => {
    stop();
    target.end();
    onEnd();
  };
  const stop = () => {
    source.off('data', onData);
    source.off('end', onSourceEnd);
    target.off('drain', onDrain);
  };
  source.on('data', onData);
  source.on('end', onSourceEnd);
  target.on('drain', onDrain);
  return stop;
}

/**
 * Sends all of `source` into `target` and ends it. `onStall` is called when the target took nothing for `stallTimeout`
 * milliseconds. What happens when `source` breaks off is the caller's to decide.
 */
export function pumpResponse(
  source: Readable,
  target: Writable,
  stallTimeout: number,
  onStall: () => void,
): void {
  let stalled: NodeJS.Timeout | undefined;
  source.on('data', (chunk: Buffer) => {
    if (target.write(chunk)) return;
    source.pause();
    stalled = setTimeout(onStall, stallTimeout);
    stalled.unref();
  });
  target.on('drain', () => {
    clearTimeout(stalled);
    source.resume();
  });
  target.on('close', () => clearTimeout(stalled));
  source.on('end', () => target.end());
}
