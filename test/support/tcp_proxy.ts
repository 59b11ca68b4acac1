// A TCP proxy on loopback that does to connections what networks do: cuts them, delays them, swallows their bytes while both ends
// believe in them, cuts them in the middle of an answer, or lets nobody in. What goes through it is not looked at.
import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  readonly origin: string;
  /** Connections that are open now, and all that there ever were. */
  readonly open: number;
  readonly accepted: number;
  /** Bytes that went back to clients. */
  readonly bytesBack: number;
  /** Milliseconds that everything takes longer, each way. */
  delay: number;
  /** What new connections meet. `swallow`: they are accepted, and nothing ever gets through. */
  mode: 'pass' | 'refuse' | 'swallow';
  /** Resets all connections. */
  cut(): void;
  /** All connections that are open now stay open, and nothing gets through any more. */
  swallow(): void;
  /** Resets those that swallow: who believed in them learns of it. */
  cutSwallowed(): void;
  /** Lets so many more bytes of answers through, on all connections together, and then resets them. */
  cutAfter(bytes: number): void;
  close(): Promise<void>;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  swallowed: boolean;
}

export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<Pair>();
  let bytesLeft = Number.POSITIVE_INFINITY;
  let bytesBack = 0;
  let accepted = 0;

  const cut = (which: (pair: Pair) => boolean = () => true): void => {
    for (const pair of [...pairs].filter(which)) {
      pair.near.resetAndDestroy();
      pair.far.destroy();
    }
  };

  const server = createServer((near) => {
    if (proxy.mode === 'refuse') return void near.resetAndDestroy();
    accepted += 1;
    const far = connect(Number(port), hostname);
    const pair: Pair = { near, far, swallowed: proxy.mode === 'swallow' };
    pairs.add(pair);
    for (const socket of [near, far]) {
      socket.setNoDelay(true).on('error', () => {});
      socket.on('close', () => {
        pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    forward(pair, near, far, (chunk) => chunk);
    forward(pair, far, near, (chunk) => {
      const passed = chunk.subarray(0, Math.max(0, bytesLeft));
      bytesLeft -= passed.length;
      bytesBack += passed.length;
      return passed;
    });
  });

  const forward = (pair: Pair, from: Socket, to: Socket, take: (chunk: Buffer) => Buffer): void => {
    const pass = (chunk: Buffer): void => {
      if (pair.swallowed) return;
      const passed = take(chunk);
      if (passed.length > 0 && !to.write(passed)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
      if (passed.length < chunk.length) {
        bytesLeft = Number.POSITIVE_INFINITY;
        setImmediate(cut);
      }
    };
    // Timers of one length run in the order in which they were made, so what was sent first arrives first.
    from.on('data', (chunk: Buffer) =>
      proxy.delay === 0 ? pass(chunk) : void setTimeout(pass, proxy.delay, chunk),
    );
    from.on('end', () => {
      if (!pair.swallowed) setTimeout(() => to.end(), proxy.delay);
    });
  };

  const proxy: TcpProxy = {
    get port() {
      return (server.address() as { port: number }).port;
    },
    get origin() {
      return `http://127.0.0.1:${this.port}`;
    },
    get open() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    get bytesBack() {
      return bytesBack;
    },
    delay: 0,
    mode: 'pass',
    cut: () => cut(),
    cutSwallowed: () => cut(({ swallowed }) => swallowed),
    swallow() {
      for (const pair of pairs) pair.swallowed = true;
    },
    cutAfter(bytes) {
      bytesLeft = bytes;
    },
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return proxy;
}
