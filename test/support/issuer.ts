// A small, real issuer for tests of verifiers: an HTTP server with a key set, a signed snapshot and a signal stream, which signs with
// core's own functions. Every hostile or broken behaviour is an override of one answer; nothing is mocked.
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
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

export interface TestIssuer {
  readonly issuer: string;
  readonly audience: string;
  readonly counts: { jwks: number; snapshot: number; stream: number };
  /** The key that signs; earlier ones stay published until withdrawn. */
  key: SigningKey;
  keys: SigningKey[];
  epoch: string;
  seq: number;
  /** Heartbeats go out while true. */
  beating: boolean;
  /** Other answers than the honest ones. */
  answers: { jwks?: Answer | undefined; snapshot?: Answer | undefined; stream?: Answer | undefined };
  /** Milliseconds that are added to the issuer's clock. */
  clockOffset: number;
  token(claims?: Partial<AccessTokenClaims>, key?: SigningKey): string;
  revoke(mark: SignalMark): void;
  stale(mark: SignalMark): void;
  announceKeys(): void;
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

interface Entry {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export async function startIssuer({ heartbeat = 50 } = {}): Promise<TestIssuer> {
  const streams = new Set<ServerResponse>();
  const marks: Record<string, unknown>[] = [];
  let log: Entry[] = [];
  let beginning = '';
  let position = '';

  const server = createServer((request, response) => {
    if (request.url === '/auth/.well-known/jwks.json') {
      self.counts.jwks += 1;
      return (self.answers.jwks ?? sendJwks)(request, response);
    }
    if (request.url === '/auth/signals/snapshot') {
      self.counts.snapshot += 1;
      return (self.answers.snapshot ?? sendSnapshot)(request, response);
    }
    if (request.url === '/auth/signals') {
      self.counts.stream += 1;
      return (self.answers.stream ?? sendStream)(request, response);
    }
    return void response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth`;

  const sendJwks: Answer = (_request, response) =>
    void response
      .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' })
      .end(JSON.stringify({ keys: self.keys.map(exportPublicJwk) }));

  const sendSnapshot: Answer = (_request, response) => {
    const { body, signature } = makeSnapshot(self, { position, marks });
    response
      .writeHead(200, { 'content-type': 'application/json', 'latchkey-signature': signature })
      .end(body);
  };

  const sendStream: Answer = (request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const last = request.headers['last-event-id'];
    const start = log.findIndex(({ id }) => id === last);
    if (last !== beginning && start === -1) return void response.end('event: reset\ndata: {}\n\n');
    streams.add(response);
    response.on('close', () => streams.delete(response));
    for (const entry of log.slice(start + 1)) response.write(frameOf(entry));
    beat(response);
  };

  const beat = (response: ServerResponse): void => {
    const data = { as_of: Date.now() + self.clockOffset, seq: self.seq, max_life: 300 };
    response.write(`event: heartbeat\ndata: ${JSON.stringify(data)}\n\n`);
  };

  const append = (event: string, data: object): Entry => {
    self.seq += 1;
    position = `${self.epoch}-${self.seq}-${randomUUID()}`;
    const entry = { id: position, event, data: JSON.stringify(data) };
    log.push(entry);
    return entry;
  };

  const send = (entry: Entry): void => {
    for (const stream of streams) stream.write(frameOf(entry));
  };

  const mark = (kind: string, value: SignalMark): Entry => {
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
    counts: { jwks: 0, snapshot: 0, stream: 0 },
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
    lose: (value) => void mark('revoke', value),
    write(text) {
      for (const stream of streams) stream.write(text);
    },
    cut() {
      for (const stream of streams) stream.destroy();
    },
    newEpoch() {
      self.epoch = randomUUID();
      self.seq = 0;
      log = [];
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

function frameOf({ id, event, data }: Entry): string {
  return `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
}

/** The honest snapshot of `self`, or one with other content; `signed` changes what the signature says. */
export function makeSnapshot(
  self: Pick<TestIssuer, 'issuer' | 'epoch' | 'seq' | 'key' | 'clockOffset'>,
  content: Record<string, unknown>,
  signed: Record<string, unknown> = {},
  header: { readonly typ: string } = { typ: 'signals+jwt' },
): { body: string; signature: string } {
  const summary = {
    iss: self.issuer,
    epoch: self.epoch,
    seq: self.seq,
    as_of: Date.now() + self.clockOffset,
    max_life: 300,
  };
  const body = JSON.stringify({ ...summary, ...content });
  const sha256 = createHash('sha256').update(body).digest('base64url');
  return { body, signature: signJws(header, JSON.stringify({ ...summary, sha256, ...signed }), self.key) };
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
