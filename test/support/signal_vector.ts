// A recorded history of signals (docs/protocol/vectors) and a `fetch` that gives the recorded answers again, each to the next request for
// its address, byte for byte. What was not recorded is never answered.
import type { Fetch } from '@latchkey/core/verifier';

export interface Exchange {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface SignalVector {
  readonly description: string;
  readonly issuer: string;
  /** Milliseconds. */
  readonly now: number;
  readonly jwks: { readonly keys: readonly object[] };
  readonly exchanges: readonly Exchange[];
  readonly expect: Readonly<Record<string, unknown>>;
}

export interface Replay {
  readonly fetch: Fetch;
  /** Exchanges that nobody has asked for yet. */
  readonly left: number;
  /** Headers that were recorded and that the reader sent otherwise. */
  readonly differences: readonly string[];
  readonly streams: boolean;
}

export function replay(vector: SignalVector): Replay {
  const queues = new Map<string, Exchange[]>();
  for (const exchange of vector.exchanges) {
    const { path } = exchange.request;
    queues.set(path, [...(queues.get(path) ?? []), exchange]);
  }
  const differences: string[] = [];
  const base = new URL(vector.issuer).pathname.replace(/\/$/, '');
  const jwksPath = `${base}/.well-known/jwks.json`;
  const json = { 'content-type': 'application/json' };
  return {
    async fetch(url, init) {
      const { pathname } = new URL(url);
      const queue = queues.get(pathname);
      const exchange = queue?.shift();
      if (exchange === undefined && queue === undefined && pathname === jwksPath)
        return new Response(JSON.stringify(vector.jwks), { headers: json });
      if (exchange === undefined) return await unanswered(init.signal);
      const { request, status, headers, body } = exchange;
      const sent = new Headers(init.headers);
      for (const [name, value] of Object.entries(request.headers))
        if (sent.get(name) !== value) differences.push(`${request.path}: ${name}: ${sent.get(name)}`);
      const isLastStream = pathname === `${base}/signals` && status === 200 && queue?.length === 0;
      if (isLastStream) return new Response(openEnded(body ?? '', init.signal), { status, headers });
      return new Response(status === 304 ? null : body, { status, headers });
    },
    get left() {
      return [...queues.values()].reduce((sum, { length }) => sum + length, 0);
    },
    differences,
    streams: queues.has(`${base}/signals`),
  };
}

function unanswered(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('given up')), { once: true });
  });
}

/** The last recorded stream does not end: the recording does. */
function openEnded(body: string, signal: AbortSignal | null | undefined): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(body));
      signal?.addEventListener('abort', () => controller.error(new Error('given up')), { once: true });
    },
  });
}
