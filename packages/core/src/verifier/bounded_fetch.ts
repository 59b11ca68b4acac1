// One request with every limit the answer of a stranger needs (threats K03): a deadline for the whole exchange, a cap on the bytes
// of the body as they arrive, no redirects, so no credential goes anywhere but to the given address. Nothing here trusts
// `content-length`. The deadline holds even where the given `fetch` ignores its signal.
import { once } from 'node:events';

/** The part of the global `fetch` that is used here, so that a service may hand in its own. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface RequestOptions {
  readonly fetch: Fetch;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Makes it a POST. */
  readonly body?: string;
  /** What the answer's status may be. @default 200 alone */
  readonly statuses?: readonly number[];
  /** Milliseconds for the exchange, or until the head of the answer where the body is a stream. */
  readonly deadline: number;
  /** Ends the exchange from outside. */
  readonly signal: AbortSignal;
}

export interface BoundedRequestOptions extends RequestOptions {
  readonly maxBytes: number;
  /** Milliseconds without a byte after which it is given up: the connection may be one that only we believe in. @default `deadline` */
  readonly patience?: number;
  /** May refuse the answer by its head, before the body. */
  readonly inspect?: (headers: Headers) => void;
  /** Told of the body as it arrives. */
  readonly onChunk?: (chunk: Uint8Array) => void;
}

export interface BoundedResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The body as it arrived: a large one need not be copied into one piece. */
  readonly chunks: readonly Uint8Array[];
}

/** An answer that was refused or never came. Its message holds our own words and numbers only. */
export class FetchFault extends Error {
  override readonly name = 'FetchFault';
}

/** Reads a whole answer of at most `maxBytes`. */
export async function fetchBounded(options: BoundedRequestOptions): Promise<BoundedResponse> {
  return await withinDeadline(options, async (signal, alive) => {
    const response = await request(options, signal);
    alive();
    try {
      const { status, headers } = response;
      options.inspect?.(headers);
      return { status, headers, chunks: await readBody(response, options, alive) };
    } catch (error) {
      await response.body?.cancel().catch(() => {});
      throw error;
    }
  });
}

/** Opens an answer whose body never ends. The deadline covers the head only; `signal` ends the rest. */
export async function openStream(options: RequestOptions): Promise<Response> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  options.signal.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(stop, options.deadline);
  timer.unref();
  try {
    return await orAborted(request(options, controller.signal), controller.signal);
  } catch (error) {
    options.signal.removeEventListener('abort', stop);
    throw asFault(error);
  } finally {
    clearTimeout(timer);
  }
}

async function withinDeadline<T>(
  options: BoundedRequestOptions,
  work: (signal: AbortSignal, alive: () => void) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  options.signal.addEventListener('abort', stop, { once: true });
  if (options.signal.aborted) stop();
  const timer = setTimeout(stop, options.deadline).unref();
  const quiet = setTimeout(stop, options.patience ?? options.deadline).unref();
  try {
    return await orAborted(work(controller.signal, quiet.refresh.bind(quiet)), controller.signal);
  } catch (error) {
    throw asFault(error);
  } finally {
    clearTimeout(timer);
    clearTimeout(quiet);
    options.signal.removeEventListener('abort', stop);
    controller.abort();
  }
}

async function request(options: RequestOptions, signal: AbortSignal): Promise<Response> {
  const { fetch, url, headers, body, statuses = [200] } = options;
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers,
    ...(body === undefined ? {} : { body }),
    redirect: 'error',
    credentials: 'omit',
    signal,
  });
  if (!statuses.includes(response.status)) {
    await response.body?.cancel().catch(() => {});
    throw new FetchFault(`the answer has status ${response.status}`);
  }
  return response;
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw new FetchFault('no answer in time');
  const settled = new AbortController();
  const aborted = once(signal, 'abort', { signal: settled.signal }).then(() => {
    throw new FetchFault('no answer in time');
  });
  aborted.catch(() => {});
  work.catch(() => {});
  try {
    return await Promise.race([work, aborted]);
  } finally {
    settled.abort();
  }
}

async function readBody(
  response: Response,
  options: BoundedRequestOptions,
  alive: () => void,
): Promise<Uint8Array[]> {
  if (response.body === null) return [];
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return chunks;
    alive();
    length += value.byteLength;
    if (length > options.maxBytes) {
      await reader.cancel().catch(() => {});
      throw new FetchFault(`the answer is larger than ${options.maxBytes} bytes`);
    }
    options.onChunk?.(value);
    chunks.push(value);
  }
}

/** What `fetch` throws may carry addresses and headers: only its class survives. */
function asFault(error: unknown): Error {
  if (error instanceof Error && error.name.endsWith('Fault')) return error;
  return new FetchFault('the issuer cannot be reached');
}
