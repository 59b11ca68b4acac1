// The network between the model issuer and a verifier: a `fetch` in memory whose answers can be refused, cut, changed, replayed and
// forged, one by one. Whoever sits here has the bytes of everything that was ever said, and no key of the issuer.
import type { SigningKey } from '@latchkey/core';
import type { Fetch, Mark } from '@latchkey/core/verifier';
import { type Commit, frameOf, type ModelIssuer, type SignedSnapshot } from './model_issuer.ts';

export const snapshotFaults = [
  'refused',
  'broken',
  'short',
  'cut',
  'corrupt',
  'emptied',
  'old',
  'mixed',
  'forged',
  'foreign',
  'revoked',
  'unsigned',
  'wrong typ',
  'wrong iss',
  'not modified',
  'page',
] as const;
export type SnapshotFault = (typeof snapshotFaults)[number];

export const streamFaults = ['refused', 'broken', 'page', 'ended', 'replayed', 'mute', 'begins now'] as const;
export type StreamFault = (typeof streamFaults)[number];

/** A stream as the sender sees it. */
export interface ModelStream {
  /** Told up to here, events and their heartbeat. */
  closed: number;
  /** Events sent up to here. */
  sent: number;
  /** Half open: nothing arrives any more, and nobody says so. */
  mute: boolean;
  write(text: string): void;
  end(): void;
  fail(): void;
}

export type ModelWire = ReturnType<typeof createModelWire>;

export interface ModelWireOptions {
  readonly issuer: ModelIssuer;
  /** Of whoever sits on the wire: one with a `kid` of its own, one that bears the issuer's. */
  readonly stranger: SigningKey;
  readonly impostor: () => SigningKey;
  /** A key of the issuer that was stolen and revoked since, once every reader has been told. */
  readonly stolen: () => SigningKey | undefined;
  readonly forgedMarks: readonly Mark[];
}

export function createModelWire({ issuer, stranger, impostor, stolen, forgedMarks }: ModelWireOptions) {
  const streams = new Set<ModelStream>();
  const faults = { snapshot: [] as SnapshotFault[], stream: [] as StreamFault[], jwks: [] as 'refused'[] };
  const counts = { jwks: 0, snapshot: 0, stream: 0, notModified: 0 };
  /** Everything that was ever written to a stream, and every snapshot that was ever asked for. */
  const writings: string[] = [];
  const snapshots: SignedSnapshot[] = [];

  const openStream = (lastEventId: string | null, signal: AbortSignal | null | undefined): Response => {
    const { stream, body } = createStream(streams, writings, signal);
    const missed = lastEventId === null ? [] : issuer.after(lastEventId);
    if (missed === undefined) stream.write('event: reset\ndata: {}\n\n');
    const from = issuer.head() - (missed?.length ?? 0);
    stream.write(textOf(from, missed ?? []));
    stream.sent = stream.closed = issuer.head();
    return streamResponse(body);
  };

  const textOf = (from: number, batch: readonly Commit[], sent = from): string =>
    batch
      .filter(({ seq }) => seq > sent)
      .map(frameOf)
      .join('') + issuer.heartbeat(from, batch);

  const answerStream = (init: RequestInit): Response => {
    counts.stream += 1;
    const lastEventId = new Headers(init.headers).get('last-event-id');
    switch (faults.stream.shift()) {
      case 'refused':
        return new Response(null, { status: 503 });
      case 'broken':
        throw new TypeError('fetch failed');
      case 'page':
        return new Response('<html>', { headers: { 'content-type': 'text/html' } });
      case 'ended':
        return streamResponse(new Response('').body);
      case 'replayed': {
        const { stream, body } = createStream(streams, [], init.signal);
        stream.write(writings.slice(-40).join(''));
        stream.mute = true;
        return streamResponse(body);
      }
      case 'mute': {
        const { stream, body } = createStream(streams, [], init.signal);
        stream.mute = true;
        return streamResponse(body);
      }
      case 'begins now':
        return openStream(null, init.signal);
      default:
        return openStream(lastEventId, init.signal);
    }
  };

  const answerSnapshot = (init: RequestInit): Response => {
    counts.snapshot += 1;
    const asked = new Headers(init.headers).get('if-none-match');
    const honest = issuer.snapshot();
    const fault = faults.snapshot.shift();
    if (fault === undefined) {
      snapshots.push(honest);
      return snapshotResponse(honest, asked, counts);
    }
    return faultySnapshot(fault, honest, asked);
  };

  const forge = (key: SigningKey): Response =>
    snapshotResponse(issuer.snapshot({ key, marks: forgedMarks }), null, counts);

  const faultySnapshot = (fault: SnapshotFault, honest: SignedSnapshot, asked: string | null): Response => {
    const { body, signature } = honest;
    const old = snapshots[0] ?? honest;
    switch (fault) {
      case 'refused':
        return new Response(null, { status: 503 });
      case 'broken':
        throw new TypeError('fetch failed');
      case 'page':
        return new Response('<html>', { headers: { 'content-type': 'text/html' } });
      case 'short':
        return snapshotResponse({ ...honest, body: body.slice(0, body.length / 2) }, null, counts);
      case 'cut':
        return cutResponse(honest);
      case 'corrupt':
        return snapshotResponse({ ...honest, body: body.replace(/"seq":\d/, '"seq":9') }, null, counts);
      case 'emptied':
        return snapshotResponse(
          { ...honest, body: body.replace(/"marks":.*$/, '"marks":[]}') },
          null,
          counts,
        );
      case 'old':
        return snapshotResponse(old, asked, counts);
      case 'mixed':
        return snapshotResponse({ ...honest, signature: old.signature }, null, counts);
      case 'forged':
        return forge(impostor());
      case 'foreign':
        return forge(stranger);
      case 'revoked':
        return forge(stolen() ?? stranger);
      case 'unsigned':
        return new Response(body, { headers: { 'content-type': 'application/json' } });
      case 'wrong typ':
        return snapshotResponse(issuer.snapshot({ typ: 'at+jwt', marks: forgedMarks }), null, counts);
      case 'wrong iss': {
        const said = { iss: `${issuer.issuer}/other` };
        return snapshotResponse(issuer.snapshot({ said, marks: forgedMarks }), null, counts);
      }
      case 'not modified':
        // Asked or not, and over a body that the reader may not have.
        return new Response(null, { status: 304, headers: { 'latchkey-signature': signature } });
    }
  };

  const fetch: Fetch = async (url, init) => {
    await new Promise(setImmediate);
    const { pathname } = new URL(url);
    if (pathname.endsWith('/signals')) return answerStream(init);
    if (pathname.endsWith('/signals/snapshot')) return answerSnapshot(init);
    counts.jwks += 1;
    if (faults.jwks.shift() !== undefined) return new Response(null, { status: 503 });
    return new Response(issuer.jwks(), {
      headers: { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' },
    });
  };

  return {
    fetch,
    faults,
    counts,
    streams,
    writings,
    /** What the sender would write now: the events that are not sent yet, and the heartbeat that closes them. */
    pending(stream: ModelStream): readonly string[] {
      const batch = issuer.since(stream.closed);
      const frames = batch.filter(({ seq }) => seq > stream.sent).map(frameOf);
      return [...frames, issuer.heartbeat(stream.closed, batch)];
    },
    /** The events alone, ahead of their heartbeat. */
    sendEvents(): void {
      for (const stream of streams) {
        const frames = issuer.since(stream.sent).map(frameOf);
        if (frames.length > 0) stream.write(frames.join(''));
        stream.sent = issuer.head();
      }
    },
    beat(): void {
      for (const stream of streams) this.send(stream, this.pending(stream));
    },
    /** The sender believes that everything is said, whatever it is that arrives. */
    send(stream: ModelStream, frames: readonly string[]): void {
      stream.write(frames.join(''));
      stream.sent = stream.closed = issuer.head();
    },
  };
}

function createStream(
  streams: Set<ModelStream>,
  writings: string[],
  signal: AbortSignal | null | undefined,
): { stream: ModelStream; body: ReadableStream<Uint8Array> } {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const leave = (): void => {
    streams.delete(stream);
    controller = undefined;
  };
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
    },
    cancel: leave,
  });
  const stream: ModelStream = {
    closed: 0,
    sent: 0,
    mute: false,
    write(text) {
      writings.push(text);
      if (stream.mute) return;
      // In pieces that end anywhere, as on a real connection.
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length; at += 97) controller?.enqueue(bytes.slice(at, at + 97));
    },
    end() {
      controller?.close();
      leave();
    },
    fail() {
      controller?.error(new TypeError('terminated'));
      leave();
    },
  };
  signal?.addEventListener('abort', () => stream.fail(), { once: true });
  streams.add(stream);
  return { stream, body };
}

function streamResponse(body: ReadableStream<Uint8Array> | null): Response {
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

function snapshotResponse(
  { body, etag, signature }: SignedSnapshot,
  asked: string | null,
  counts: { notModified: number },
): Response {
  const headers = { 'latchkey-signature': signature, etag };
  if (asked === etag) {
    counts.notModified += 1;
    return new Response(null, { status: 304, headers });
  }
  return new Response(body, { headers: { ...headers, 'content-type': 'application/json' } });
}

/** The connection breaks in the middle of the body. */
function cutResponse({ body, etag, signature }: SignedSnapshot): Response {
  const half = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(body.slice(0, body.length / 2)));
    },
    pull(controller) {
      controller.error(new TypeError('terminated'));
    },
  });
  return new Response(half, {
    headers: { 'content-type': 'application/json', etag, 'latchkey-signature': signature },
  });
}
