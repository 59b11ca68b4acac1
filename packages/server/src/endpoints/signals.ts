// GET /auth/signals (server-sent events) and GET /auth/signals/snapshot: how verifiers learn. Reading needs no secret:
// identifiers are random. Streams are bounded: in number, per address, and in what one slow reader may hold back.
import { AuthError } from '../errors.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed } from '../http/schemas.ts';
import type { SigningKeyring } from '../keys/signing_keyring.ts';
import { addressKey } from '../rules/addresses.ts';
import { parsePosition } from '../signals/frames.ts';
import type { SignalHub } from '../signals/hub.ts';
import { createSnapshots, type SnapshotOptions } from '../signals/snapshot.ts';

export interface SignalsOptions extends Omit<SnapshotOptions, 'signingKey'> {
  readonly signingKeys: SigningKeyring;
  readonly hub: SignalHub;
  readonly streams: number;
  readonly streamsPerAddress: number;
}

/** Bytes that may wait for one reader before it is dropped. */
const maxBacklog = 1_048_576;

export function signalsEndpoints(options: SignalsOptions): AnyEndpoint[] {
  return [stream(options), snapshot(options)];
}

function stream(options: SignalsOptions): AnyEndpoint {
  const perAddress = new Map<string, number>();

  function enter(address: string): void {
    const open = perAddress.get(address) ?? 0;
    if (options.hub.readers >= options.streams || open >= options.streamsPerAddress) {
      throw new AuthError('rate_limited', 'Too many signal streams are open.', { retryAfter: 5 });
    }
    perAddress.set(address, open + 1);
  }

  function leave(address: string): void {
    const open = (perAddress.get(address) ?? 1) - 1;
    if (open <= 0) perAddress.delete(address);
    else perAddress.set(address, open);
  }

  return endpoint({
    method: 'GET',
    path: '/auth/signals',
    access: 'public',
    tag: 'Signals',
    summary: 'Server-sent events: revocations, stale marks, key changes, heartbeats',
    query: closed({}),
    headers: { 'Last-Event-ID': 'The last position read: the stream goes on after it' },
    responses: { 200: Type.String({ contentMediaType: 'text/event-stream' }) },
    async handle({ origin, request, reply }) {
      const last = request.headers['last-event-id'];
      const position = typeof last === 'string' ? parsePosition(last) : undefined;
      if (last !== undefined && position === undefined)
        throw new AuthError('invalid_request', 'Last-Event-ID is not a position of this stream.');
      if (request.method === 'HEAD') return reply.type('text/event-stream').send();
      const address = addressKey(origin.ip);
      enter(address);
      const { raw } = reply.hijack();
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-request-id': request.id,
        'x-accel-buffering': 'no',
      });
      raw.write('retry: 1000\n\n');
      const remove = options.hub.add(
        {
          send(frame) {
            if (raw.writableEnded || raw.destroyed) return false;
            raw.write(frame);
            if (raw.writableLength <= maxBacklog) return true;
            raw.destroy();
            return false;
          },
          end: () => raw.end(),
        },
        position,
      );
      raw.on('close', () => {
        remove();
        leave(address);
      });
      return reply;
    },
  });
}

function snapshot(options: SignalsOptions): AnyEndpoint {
  const snapshots = createSnapshots({ ...options, signingKey: () => options.signingKeys.current });
  return endpoint({
    method: 'GET',
    path: '/auth/signals/snapshot',
    access: 'public',
    tag: 'Signals',
    summary: 'The whole live set of marks, signed (header Latchkey-Signature)',
    query: closed({}),
    responses: { 200: Type.Unsafe<string>({ type: 'object' }), 304: null },
    async handle({ request, reply }) {
      const { etag, body, signature } = await snapshots();
      reply.headers({ etag, 'cache-control': 'public, max-age=1' });
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      reply.header('latchkey-signature', signature);
      return reply.type('application/json; charset=utf-8').serializer(String).send(body);
    },
  });
}
