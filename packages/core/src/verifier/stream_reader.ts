// One connection to `GET <issuer>/signals`, from its beginning to its end: opened after a position, read event by event, watched for
// silence. What the events mean is judged by the caller.
import { type Fetch, FetchFault, openStream } from './bounded_fetch.ts';
import { createFrameReader, type Frame } from './event_stream.ts';
import type { Position } from './position.ts';

export interface StreamReaderOptions {
  readonly fetch: Fetch;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly monotonic: () => number;
  /** The last one that is applied. */
  readonly position: Position;
  /** Ends it from outside. */
  readonly signal: AbortSignal;
  readonly onOpen: () => void;
  /** True for a sign of life. What it throws ends the stream. */
  readonly take: (frame: Frame) => boolean;
}

const silence = 6_000;
const watchInterval = 250;
const connectDeadline = 5_000;

/** Never resolves: rejects with what `take` threw, or with FetchFault when the stream ends, breaks or gives no sign of life for 6 s. */
export async function readStream(options: StreamReaderOptions): Promise<never> {
  const { monotonic, signal } = options;
  const cut = new AbortController();
  const stop = (): void => cut.abort();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  let aliveAt = monotonic();
  const watch = setInterval(() => monotonic() - aliveAt > silence && stop(), watchInterval);
  watch.unref();
  try {
    const reader = await connect(options, cut.signal);
    options.onOpen();
    const takeBytes = createFrameReader((frame) => {
      if (options.take(frame)) aliveAt = monotonic();
    });
    return await readAll(reader, takeBytes, cut.signal);
  } catch (fault) {
    const silent = fault instanceof FetchFault && monotonic() - aliveAt > silence;
    throw silent ? new FetchFault('no good heartbeat for 6 s') : fault;
  } finally {
    clearInterval(watch);
    stop();
    signal.removeEventListener('abort', stop);
  }
}

async function connect(options: StreamReaderOptions, signal: AbortSignal) {
  const response = await openStream({
    fetch: options.fetch,
    url: options.url,
    headers: {
      ...options.headers,
      accept: 'text/event-stream',
      'cache-control': 'no-cache',
      'last-event-id': options.position.id,
    },
    deadline: connectDeadline,
    signal,
  });
  const type = response.headers.get('content-type') ?? '';
  if (response.body === null || !/^text\/event-stream\s*(?:;|$)/i.test(type)) {
    await response.body?.cancel().catch(() => {});
    throw new FetchFault('the answer is not an event stream');
  }
  return response.body.getReader();
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  take: (chunk: Uint8Array) => void,
  signal: AbortSignal,
): Promise<never> {
  // Cancelling ends the read below even where a given `fetch` does not listen to its signal.
  const cancel = (): void => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(() => {
        throw new FetchFault('the stream was cut');
      });
      if (done) throw new FetchFault('the stream ended');
      take(value);
    }
  } finally {
    cancel();
  }
}
