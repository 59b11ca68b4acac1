// GET /auth/signals (server-sent events) and GET /auth/signals/snapshot: how verifiers learn. Reading needs no secret, since
// identifiers are random, unless the settings say so; a reader with a client credential is registered all the same, and has
// its place. Streams are bounded: in number, for each address, and in what one slow reader may hold back.
import type { ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { AuthError } from '../errors.ts';
import type { Authenticator } from '../http/caller.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed } from '../http/schemas.ts';
import { addressKey } from '../rules/addresses.ts';
import { createAddressLimit } from '../signals/address_limit.ts';
import type { Fleet } from '../signals/fleet.ts';
import { parsePosition } from '../signals/frames.ts';
import type { SignalHub } from '../signals/hub.ts';
import { createPlaces } from '../signals/places.ts';
import type { Snapshot } from '../signals/snapshot.ts';
import type { Client } from '../storage/clients.ts';

export interface SignalsOptions {
  readonly authenticator: Authenticator;
  readonly hub: SignalHub;
  readonly snapshots: () => Promise<Snapshot>;
  readonly fleet: Pick<Fleet, 'enter'>;
  readonly signalsAccess: 'public' | 'registered' | 'internal';
  readonly streams: number;
  readonly streamsPerAddress: number;
}

/** Bytes that may wait for one reader before it is dropped. */
const maxBacklog = 1_048_576;

export function signalsEndpoints(options: SignalsOptions): AnyEndpoint[] {
  return [stream(options), snapshot(options)];
}

/** The client of a registered reader. Throws `invalid_client` for a wrong credential, and for none where one is needed. */
async function readerOf(options: SignalsOptions, request: FastifyRequest): Promise<Client | undefined> {
  const client = await options.authenticator.client(request);
  if (client === undefined && options.signalsAccess === 'registered')
    throw new AuthError('invalid_client', 'Reading signals needs a client credential (HTTP Basic) here.');
  return client;
}

function positionFrom(request: FastifyRequest) {
  const last = request.headers['last-event-id'];
  const position = typeof last === 'string' ? parsePosition(last) : undefined;
  if (last !== undefined && position === undefined)
    throw new AuthError('invalid_request', 'Last-Event-ID is not a position of this stream.');
  return position;
}

function instanceFrom(request: FastifyRequest): string | undefined {
  const instance = request.headers['latchkey-instance'];
  if (instance === undefined) return undefined;
  if (typeof instance !== 'string' || !/^[A-Za-z0-9_-]{8,64}$/.test(instance))
    throw new AuthError('invalid_request', 'Latchkey-Instance is not 8 to 64 of A-Z a-z 0-9 _ -.');
  return instance;
}

const streamHeaders = {
  'Last-Event-ID': 'The last position read: the stream goes on after it',
  'Latchkey-Instance':
    'With a client credential: the name of this process, 8 to 64 of A-Z a-z 0-9 _ -, new for each',
};

function stream(options: SignalsOptions): AnyEndpoint {
  const { hub } = options;
  const places = createPlaces(options);

  /** The fleet is for information: where it cannot be written, the reader is served all the same. */
  async function enterFleet(client: Client, request: FastifyRequest): Promise<() => void> {
    const instance = instanceFrom(request);
    if (instance === undefined) return () => {};
    const version = request.headers['user-agent'] ?? '';
    try {
      return await options.fleet.enter({ clientId: client.id, name: client.name, instance, version });
    } catch (error) {
      if (error instanceof AuthError) throw error;
      request.log.warn({ cause: error instanceof Error ? error.message : 'unknown' }, 'reader not listed');
      return () => {};
    }
  }

  return endpoint({
    method: 'GET',
    path: '/auth/signals',
    access: 'public',
    tag: 'Signals',
    summary: 'Server-sent events: revocations, stale marks, key changes, heartbeats',
    query: closed({}),
    headers: streamHeaders,
    responses: { 200: Type.String({ contentMediaType: 'text/event-stream' }) },
    async handle({ origin, request, reply }) {
      const position = positionFrom(request);
      instanceFrom(request);
      const client = await readerOf(options, request);
      if (request.method === 'HEAD') return reply.type('text/event-stream').send();
      const { raw } = reply;
      const leavePlace =
        client === undefined
          ? places.enterStranger(addressKey(origin.ip), () => raw.destroy())
          : places.enterRegistered();
      const visit = createVisit(raw, leavePlace);
      if (client !== undefined) visit.onLeave(await enterFleet(client, request).catch(visit.fail));
      reply.hijack();
      if (raw.destroyed) return reply;
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-request-id': request.id,
        'x-accel-buffering': 'no',
      });
      raw.write('retry: 1000\n\n');
      visit.onLeave(hub.add({ registered: client !== undefined, ...readerOn(raw) }, position));
      return reply;
    },
  });
}

/** What is to be given back when the connection ends, whenever that is. */
function createVisit(raw: ServerResponse, leavePlace: () => void) {
  const leaving = [leavePlace];
  let over = raw.destroyed;
  function leave(): void {
    over = true;
    for (const one of leaving.splice(0)) one();
  }
  if (over) leave();
  else raw.on('close', leave);
  return {
    onLeave(one: () => void): void {
      if (over) one();
      else leaving.push(one);
    },
    /** The stream is refused after all; the connection may go on. */
    fail(error: unknown): never {
      leave();
      throw error;
    },
  };
}

function readerOn(raw: ServerResponse) {
  return {
    send(frames: Buffer): boolean {
      if (raw.writableEnded || raw.destroyed) return false;
      raw.write(frames);
      if (raw.writableLength <= maxBacklog) return true;
      raw.destroy();
      return false;
    },
    end: () => void raw.end(),
  };
}

function snapshot(options: SignalsOptions): AnyEndpoint {
  const { streamsPerAddress } = options;
  // As many readers as an address may have streams, each polling every two seconds, and all of them at once after a cut.
  const limit = createAddressLimit({
    perSecond: Math.max(10, streamsPerAddress / 2),
    burst: Math.max(30, streamsPerAddress),
  });
  const cacheControl = `${options.signalsAccess === 'registered' ? 'private' : 'public'}, max-age=1`;
  return endpoint({
    method: 'GET',
    path: '/auth/signals/snapshot',
    access: 'public',
    tag: 'Signals',
    summary: 'The whole live set of marks, signed (header Latchkey-Signature)',
    query: closed({}),
    responses: { 200: Type.Unsafe<string>({ type: 'object' }), 304: null },
    async handle({ origin, request, reply }) {
      if ((await readerOf(options, request)) === undefined) limit(addressKey(origin.ip));
      const { etag, body, signature } = await options.snapshots();
      reply.headers({ etag, 'cache-control': cacheControl, 'latchkey-signature': signature });
      if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send();
      return reply.type('application/json; charset=utf-8').send(body);
    },
  });
}

/** RFC 9110 §13.1.2: one of a list, weak or not. */
function isKnown(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((known) => known.trim().replace(/^W\//, '') === etag);
}
