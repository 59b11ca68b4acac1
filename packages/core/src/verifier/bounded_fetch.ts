// One GET with every limit the answer of a stranger needs (threats K03): a deadline for the whole exchange, a cap on the
// bytes of the body as they arrive, no redirects, no credentials. Nothing here trusts `content-length`. The deadline
// holds even where the given `fetch` ignores its signal.
import { once } from 'node:events';

/** The part of the global `fetch` that is used here, so that a service may hand in its own. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface GetOptions {
  readonly fetch: Fetch;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds for the exchange, or until the head of the answer where the body is a stream. */
  readonly deadline: number;
  /** Ends the exchange from outside. */
  readonly signal: AbortSignal;
}

export interface BoundedResponse {
  readonly headers: Headers;
  readonly body: Buffer;
}

/** An answer that was refused or never came. Its message holds our own words and numbers only. */
export class FetchFault extends Error {
  override readonly name = 'FetchFault';
}

/** Reads a whole answer of status 200 and at most `maxBytes`; `inspect` may refuse it by its head, before the body. */
export async function getBounded(
  options: GetOptions & { readonly maxBytes: number; readonly inspect?: (headers: Headers) => void },
): Promise<BoundedResponse> {
  return await withinDeadline(options, async (signal) => {
    const response = await request(options, signal);
    try {
      options.inspect?.(response.headers);
      return { headers: response.headers, body: await readBody(response, options.maxBytes) };
    } catch (error) {
      await response.body?.cancel().catch(() => {});
      throw error;
    }
  });
}

/** Opens an answer whose body never ends. The deadline covers the head only; `signal` ends the rest. */
export async function openStream(options: GetOptions): Promise<Response> {
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

async function withinDeadline<T>(options: GetOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  options.signal.addEventListener('abort', stop, { once: true });
  if (options.signal.aborted) stop();
  const timer = setTimeout(stop, options.deadline);
  timer.unref();
  try {
    return await orAborted(work(controller.signal), controller.signal);
  } catch (error) {
    throw asFault(error);
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', stop);
    controller.abort();
  }
}

async function request({ fetch, url, headers }: GetOptions, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, {
    method: 'GET',
    headers,
    redirect: 'error',
    credentials: 'omit',
    signal,
  });
  if (response.status !== 200) {
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

async function readBody(response: Response, maxBytes: number): Promise<Buffer> {
  if (response.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks, length);
    length += value.byteLength;
    if (length > maxBytes) {
      await reader.cancel().catch(() => {});
      throw new FetchFault(`the answer is larger than ${maxBytes} bytes`);
    }
    chunks.push(value);
  }
}

/** What `fetch` throws may carry addresses and headers: only its class survives. */
function asFault(error: unknown): Error {
  if (error instanceof Error && error.name.endsWith('Fault')) return error;
  return new FetchFault('the issuer cannot be reached');
}
