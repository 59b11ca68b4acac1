// A proxy in front of the auth server that knows where the batches of a signal stream begin and end, and can say one twice or two the
// wrong way round, as a broken or hostile cache between would. Everything else passes as it is. What cuts, silence and
// refused connections do is the business of test/support/tcp_proxy.ts.
import { connect, createServer, type Socket } from 'node:net';

export interface FrameProxy {
  readonly origin: string;
  /** When stream or snapshot were first asked for since `fresh`; undefined while nobody has. */
  readonly askedAt: number | undefined;
  readonly fresh: () => void;
  /** The last batch that carried events is said again. Answers whether there was a stream and a batch. */
  readonly replay: () => boolean;
  /** Holds the next batch that carries events back until the one after it has been said. Answers whether there is a stream. */
  readonly reorder: () => boolean;
  readonly close: () => Promise<void>;
}

interface Stream {
  readonly near: Socket;
  /** The last batch with events. */
  last: Buffer | undefined;
  /** A batch that waits for its successor. */
  held: Buffer | undefined;
  swap: boolean;
}

export async function startFrameProxy(port: number): Promise<FrameProxy> {
  const streams = new Set<Stream>();
  const sockets = new Set<Socket>();
  let askedAt: number | undefined;
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true).on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    let pass = (bytes: Buffer): void => void near.write(bytes);
    far.on('data', (bytes: Buffer) => pass(bytes));
    // Connections are used again: the stream may be asked for on one that has carried other answers.
    near.on('data', (request: Buffer) => {
      const head = request.toString('latin1');
      if (/^GET \/auth\/signals(\/snapshot)? HTTP/.test(head)) askedAt ??= performance.now();
      if (/^GET \/auth\/signals HTTP/.test(head)) {
        const stream: Stream = { near, last: undefined, held: undefined, swap: false };
        streams.add(stream);
        near.on('close', () => streams.delete(stream));
        pass = follow(stream);
      }
      far.write(request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    get askedAt() {
      return askedAt;
    },
    fresh() {
      askedAt = undefined;
    },
    replay() {
      const [stream] = streams;
      if (stream?.last === undefined) return false;
      stream.near.write(stream.last);
      return true;
    },
    reorder() {
      for (const stream of streams) stream.swap = true;
      return streams.size > 0;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Passes the head, and then one HTTP chunk after the other: the auth server writes each batch as one (RFC 9112 §7.1). */
function follow(stream: Stream): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let inBody = false;
  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    for (;;) {
      const length = inBody ? chunkLength(rest) : headLength(rest);
      if (length === undefined || rest.length < length) return;
      const part = rest.subarray(0, length);
      rest = rest.subarray(length);
      if (inBody) say(stream, Buffer.from(part));
      else stream.near.write(part);
      inBody = true;
    }
  };
}

function headLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  return end < 0 ? undefined : end + 4;
}

function chunkLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf('\r\n');
  return end < 0 ? undefined : end + 4 + Number.parseInt(bytes.toString('latin1', 0, end), 16);
}

function say(stream: Stream, batch: Buffer): void {
  const { near } = stream;
  const carries = batch.includes('id: ');
  if (carries) stream.last = batch;
  if (stream.swap && carries) {
    stream.swap = false;
    stream.held = batch;
    return;
  }
  near.write(batch);
  if (stream.held !== undefined) near.write(stream.held);
  stream.held = undefined;
}
