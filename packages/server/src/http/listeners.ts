// Where the server can be reached: the public port, the operator's Unix socket, and the internal port for health and
// metrics. One request handler serves the first two; what came over the socket is known by its connection.
import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import { createServer } from './node_http.ts';

export function listenOn(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/** Milliseconds that a request under way has to be answered when the server ends. */
const patience = 5000;

/** Takes no more connections, lets what is under way be answered, and then lets go. */
export function closeServer(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (server === undefined || !server.listening) return resolve();
    // A connection that is kept alive is idle again only after its answer: looked at until none is left.
    const idle = setInterval(() => server.closeIdleConnections(), 20);
    const end = setTimeout(() => server.closeAllConnections(), patience);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(end);
      resolve();
    });
    server.closeIdleConnections();
  });
}

export function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Remembers which connections came over the operator's socket. */
export interface OperatorSocket {
  listen(path: string): Promise<void>;
  owns(socket: Socket): boolean;
  close(): Promise<void>;
}

export function createOperatorSocket(handler: RequestListener): OperatorSocket {
  const connections = new WeakSet<Socket>();
  const server = createServer(handler);
  server.on('connection', (socket: Socket) => connections.add(socket));
  return {
    async listen(path) {
      // A socket file that a killed process left behind: the data directory's lock says that nobody uses it.
      if (existsSync(path)) unlinkSync(path);
      const before = process.umask(0o177);
      try {
        await listenOn(server, { path });
      } finally {
        process.umask(before);
      }
      chmodSync(path, 0o600);
    },
    owns: (socket) => connections.has(socket),
    close: () => closeServer(server),
  };
}
