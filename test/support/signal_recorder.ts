// Records what a real server says about its signals, byte by byte, for docs/protocol/vectors. The server's clock stands still unless
// it is moved, so that a recording can be read again at the same moment.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { TestAuthServer } from './auth_server.ts';
import type { SignalVector } from './signal_vector.ts';

export interface RecordedExchange {
  readonly request: {
    readonly method: 'GET';
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Changed after it was recorded: a reader must not believe it. */
  readonly forged?: true;
}

export type RecordedVector = Omit<SignalVector, 'exchanges'> & {
  readonly exchanges: readonly RecordedExchange[];
};

/** What a snapshot says, as far as a recording goes on from it. */
export interface SnapshotTaken extends RecordedExchange {
  readonly etag: string;
  readonly position: string;
}

const kept = ['content-type', 'cache-control', 'etag', 'latchkey-signature'];

async function ask(
  server: TestAuthServer,
  path: string,
  headers: Record<string, string>,
  signal?: AbortSignal,
) {
  const response = await fetch(server.url + path, { headers, ...(signal === undefined ? {} : { signal }) });
  const shown = kept.flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  const exchange = {
    request: { method: 'GET', path, headers },
    status: response.status,
    headers: Object.fromEntries(shown),
  } as const;
  return { response, exchange };
}

export async function recordJwks(server: TestAuthServer): Promise<RecordedExchange> {
  const { response, exchange } = await ask(server, '/auth/.well-known/jwks.json', {});
  return { ...exchange, body: await response.text() };
}

export async function recordSnapshot(server: TestAuthServer, etag?: string): Promise<SnapshotTaken> {
  const headers: Record<string, string> = etag === undefined ? {} : { 'If-None-Match': etag };
  const { response, exchange } = await ask(server, '/auth/signals/snapshot', headers);
  const body = response.status === 304 ? null : await response.text();
  const position = body === null ? '' : (JSON.parse(body) as { position: string }).position;
  return { ...exchange, body, etag: exchange.headers['etag'] ?? '', position };
}

export interface Listening {
  /** Waits until an event holds this text and a heartbeat has closed its batch. */
  heard(part: string): Promise<void>;
  /** Waits for one more heartbeat. */
  beat(): Promise<void>;
}

const heartbeats = (text: string) => text.split('event: heartbeat').length - 1;

/** The stream after `position`, until `during` is over; whole batches only. */
export async function recordStream(
  server: TestAuthServer,
  position: string,
  during: (stream: Listening) => Promise<void>,
): Promise<RecordedExchange> {
  const abort = new AbortController();
  const headers = { 'Last-Event-ID': position };
  const { response, exchange } = await ask(server, '/auth/signals', headers, abort.signal);
  let text = '';
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? [])
      text += decoder.decode(chunk as Uint8Array, { stream: true });
  })().catch(() => {});
  const until = async (condition: () => boolean, words: string) => {
    for (const end = performance.now() + 15_000; performance.now() < end && !condition(); ) await pause(5);
    assert.ok(condition(), `waited in vain for ${words}`);
  };
  await until(() => text.includes('event: heartbeat') || text.includes('event: reset'), 'the beginning');
  await during({
    heard: (part) => until(() => heartbeats(text.slice(text.indexOf(part))) > 0 && text.includes(part), part),
    async beat() {
      const before = heartbeats(text);
      await until(() => heartbeats(text) > before, 'a heartbeat');
    },
  });
  abort.abort();
  await reading;
  return { ...exchange, body: text.slice(0, text.lastIndexOf('\n\n') + 2) };
}

interface Mark {
  readonly kind: string;
  readonly by: string;
  readonly value: string;
  readonly below?: number;
  readonly until?: number;
}

/** Every mark that an honest exchange told of, in the order in which it was heard first. */
export function marksOf(exchanges: readonly RecordedExchange[]): Mark[] {
  const marks = new Map<string, Mark>();
  const add = (mark: Mark) => marks.set(JSON.stringify(mark), mark);
  for (const { request, body, forged } of exchanges) {
    if (body === null || forged === true) continue;
    if (request.path.endsWith('/snapshot')) marksInSnapshot(body).forEach(add);
    if (request.path.endsWith('/signals')) marksInStream(body).forEach(add);
  }
  return [...marks.values()];
}

interface Group {
  readonly kind: string;
  readonly by: string;
  readonly values: readonly string[];
  readonly below?: readonly number[];
  readonly until?: readonly number[];
}

function marksInSnapshot(body: string): Mark[] {
  return (JSON.parse(body) as { marks: Group[] }).marks.flatMap(({ kind, by, values, below, until }) =>
    values.map((value, at) => ({
      ...{ kind, by, value },
      ...(below === undefined ? {} : { below: below[at] ?? 0 }),
      ...(until === undefined ? {} : { until: until[at] ?? 0 }),
    })),
  );
}

function marksInStream(body: string): Mark[] {
  return [...body.matchAll(/^event: (revoke|stale)\ndata: (.*)$/gm)].map(([, kind = '', data = '']) => ({
    kind,
    ...(JSON.parse(data) as Omit<Mark, 'kind'>),
  }));
}
