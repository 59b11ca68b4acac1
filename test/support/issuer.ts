// A small, real issuer for tests of verifiers: an HTTP server with a key set, a signed snapshot and a signed signal stream, as
// docs/protocol/signals.md has them, made with core's own functions. Every hostile or broken behaviour is an override of one answer;
// nothing is mocked.
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type AccessTokenClaims,
  exportPublicJwk,
  generateKeyPair,
  type SigningKey,
  signAccessToken,
  signJws,
} from '@latchkey/core';

export interface SignalMark {
  readonly by: string;
  readonly value: string;
  readonly below?: number;
  readonly until?: number;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const paths = {
  '/auth/.well-known/jwks.json': 'jwks',
  '/auth/signals/snapshot': 'snapshot',
  '/auth/signals': 'stream',
  '/auth/signals/applied': 'applied',
} as const;
type Document = (typeof paths)[keyof typeof paths];

export interface Acknowledgement {
  readonly instance: string;
  readonly epoch: string;
  readonly seq: number;
  readonly leaving?: boolean;
}

export interface TestIssuer {
  readonly issuer: string;
  readonly audience: string;
  readonly counts: Record<Document | 'notModified', number>;
  /** The headers of the last request for each. */
  readonly asked: Partial<Record<Document, IncomingHttpHeaders>>;
  readonly acknowledgements: Acknowledgement[];
  /** The key that signs; earlier ones stay published until withdrawn. */
  key: SigningKey;
  keys: SigningKey[];
  epoch: string;
  seq: number;
  /** Heartbeats go out while true; without one, what was sent stays held. */
  beating: boolean;
  /** Other answers than the honest ones. */
  answers: Partial<Record<Document, Answer | undefined>>;
  /** Milliseconds that are added to the issuer's clock. */
  clockOffset: number;
  token(claims?: Partial<AccessTokenClaims>, key?: SigningKey): string;
  revoke(mark: SignalMark): void;
  stale(mark: SignalMark): void;
  announceKeys(): void;
  /** Asks registered readers to acknowledge now. */
  ask(): void;
  /** Adds a mark to the sequence without sending it on the open streams: a lost frame. */
  lose(mark: SignalMark): void;
  /** Bytes of our choice on all open streams. */
  write(text: string): void;
  /** Ends all open streams. */
  cut(): void;
  /** As after `latchkey restore`: a new epoch that counts from zero. */
  newEpoch(): void;
  readonly open: number;
  close(): Promise<void>;
}

export interface SignalEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** What one reader has been sent since its last heartbeat. */
interface Stream {
  readonly response: ServerResponse;
  from: number;
  batch: SignalEvent[];
}

export async function startIssuer({ heartbeat = 50 } = {}): Promise<TestIssuer> {
  const streams = new Set<Stream>();
  const marks: Record<string, unknown>[] = [];
  let log: SignalEvent[] = [];
  let beginning = '';
  let position = '';

  const honest: Record<Document, Answer> = {
    jwks: (_request, response) =>
      void response
        .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' })
        .end(JSON.stringify({ keys: self.keys.map(exportPublicJwk) })),
    snapshot(request, response) {
      const { body, signature, etag } = makeSnapshot(self, { position, marks });
      const headers = { 'latchkey-signature': signature, etag };
      if (request.headers['if-none-match'] === etag) {
        self.counts.notModified += 1;
        response.writeHead(304, headers).end();
      } else response.writeHead(200, { ...headers, 'content-type': 'application/json' }).end(body);
    },
    stream(request, response) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const last = request.headers['last-event-id'];
      const start = log.findIndex(({ id }) => id === last);
      if (last !== beginning && start === -1) return void response.end('event: reset\ndata: {}\n\n');
      const stream = { response, from: start + 1, batch: log.slice(start + 1) };
      streams.add(stream);
      response.on('close', () => streams.delete(stream));
      for (const event of stream.batch) response.write(frameOf(event));
      beat(stream);
    },
    async applied(request, response) {
      self.acknowledgements.push(JSON.parse(await text(request)) as Acknowledgement);
      response.writeHead(204).end();
    },
  };

  const server = createServer((request, response) => {
    const name = paths[request.url as keyof typeof paths];
    if (name === undefined) return void response.writeHead(404).end();
    self.counts[name] += 1;
    self.asked[name] = request.headers;
    return (self.answers[name] ?? honest[name])(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth`;

  const beat = (stream: Stream): void => {
    stream.response.write(makeHeartbeat(self, stream));
    stream.from = self.seq;
    stream.batch = [];
  };

  const append = (event: string, data: object): SignalEvent => {
    self.seq += 1;
    position = `${self.epoch}-${self.seq}-${randomUUID()}`;
    const entry = { id: position, event, data: JSON.stringify(data) };
    log.push(entry);
    for (const stream of streams) stream.batch.push(entry);
    return entry;
  };

  const send = (event: SignalEvent): void => {
    for (const stream of streams) {
      stream.response.write(frameOf(event));
      if (self.beating) beat(stream);
    }
  };

  const mark = (kind: string, value: SignalMark): SignalEvent => {
    marks.push({ kind, ...value });
    return append(kind, value);
  };

  const beats = setInterval(() => {
    if (self.beating) for (const stream of streams) beat(stream);
  }, heartbeat);

  const { signingKey } = generateKeyPair('ES256');
  const self: TestIssuer = {
    issuer,
    audience: 'https://service.example',
    counts: { jwks: 0, snapshot: 0, stream: 0, applied: 0, notModified: 0 },
    asked: {},
    acknowledgements: [],
    key: signingKey,
    keys: [signingKey],
    epoch: randomUUID(),
    seq: 0,
    beating: true,
    answers: {},
    clockOffset: 0,
    token: (claims = {}, key = self.key) =>
      signAccessToken({ ...someClaims(self), ...claims } as AccessTokenClaims, key),
    revoke: (value) => send(mark('revoke', value)),
    stale: (value) => send(mark('stale', value)),
    announceKeys: () => send(append('keys', {})),
    ask: () => self.write('event: ask\ndata: {}\n\n'),
    lose: (value) => void mark('revoke', value),
    write(text) {
      for (const { response } of streams) response.write(text);
    },
    cut() {
      for (const { response } of streams) response.destroy();
    },
    newEpoch() {
      self.epoch = randomUUID();
      self.seq = 0;
      log = [];
      for (const stream of streams) Object.assign(stream, { from: 0, batch: [] });
      beginning = `${self.epoch}-0-${randomUUID()}`;
      position = beginning;
    },
    get open() {
      return streams.size;
    },
    async close() {
      clearInterval(beats);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  self.newEpoch();
  return self;
}

export function frameOf({ id, event, data }: SignalEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
}

type Signer = Pick<TestIssuer, 'issuer' | 'epoch' | 'seq' | 'key' | 'clockOffset'>;

function summaryOf(self: Signer) {
  const asOf = Date.now() + self.clockOffset;
  return { iss: self.issuer, epoch: self.epoch, seq: self.seq, as_of: asOf, max_life: 300 };
}

const signalsType = { typ: 'signals+jwt' };

function sha256Of(content: string): string {
  return createHash('sha256').update(content).digest('base64url');
}

/** The heartbeat that closes `batch`; `signed` changes what the signature says. */
export function makeHeartbeat(
  self: Signer,
  { from, batch }: { readonly from: number; readonly batch: readonly SignalEvent[] },
  signed: Record<string, unknown> = {},
  header: { readonly typ: string } = signalsType,
): string {
  const sha256 = sha256Of(batch.map(({ id, event, data }) => `${id}\n${event}\n${data}\n`).join(''));
  const summary = { ...summaryOf(self), from, sha256, ...signed };
  const { as_of, seq, max_life } = summary;
  const signature = signJws(header, JSON.stringify(summary), self.key);
  return `event: heartbeat\ndata: ${JSON.stringify({ as_of, seq, max_life, signature })}\n\n`;
}

/** The honest snapshot of `self`, or one with other content; `signed` changes what the signature says. */
export function makeSnapshot(
  self: Signer,
  {
    marks = [],
    ...content
  }: Record<string, unknown> & { readonly marks?: readonly Record<string, unknown>[] },
  signed: Record<string, unknown> = {},
  header: { readonly typ: string } = signalsType,
): { body: string; signature: string; etag: string } {
  const summary = summaryOf(self);
  const { iss, epoch, seq } = summary;
  const body = JSON.stringify({ iss, epoch, seq, marks: groupsOf(marks), ...content });
  const sha256 = sha256Of(body);
  const signature = signJws(header, JSON.stringify({ ...summary, sha256, ...signed }), self.key);
  return { body, signature, etag: `"${sha256}"` };
}

/** One group for each kind and `by`; marks for ever stand apart. */
function groupsOf(marks: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const groups = Map.groupBy(marks, ({ kind, by, until }) => `${kind} ${by} ${until === undefined}`);
  return [...groups.values()].map((members) => {
    const column = (name: string) => members.map((mark) => mark[name]);
    const { kind, by, below, until } = members[0] ?? {};
    return {
      ...{ kind, by, values: column('value') },
      ...(below === undefined ? {} : { below: column('below') }),
      ...(until === undefined ? {} : { until: column('until') }),
    };
  });
}

export function someClaims({ issuer, audience }: Pick<TestIssuer, 'issuer' | 'audience'>): AccessTokenClaims {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuer,
    sub: randomUUID(),
    aud: audience,
    exp: now + 300,
    iat: now,
    jti: randomUUID(),
    sid: randomUUID(),
    client_id: 'latchkey',
    auth_time: now,
    preferred_username: 'ada',
    roles: ['doctor'],
    scope: 'records:read records:write',
    ver: 1,
    rver: 1,
  };
}

/** Waits until `condition` holds; fails the test, with its words, when it does not within a generous time. */
export async function until(condition: () => boolean, words: string): Promise<void> {
  for (const end = performance.now() + 15_000; performance.now() < end; ) {
    if (condition()) return;
    await pause(5);
  }
  throw new Error(`waited in vain: ${words}`);
}
