// The internal port: /livez (the process turns), /readyz (it can serve: the database answers), /metrics (Prometheus text), and
// the paths of the API that the settings keep there. Never reachable through the public one.
import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { AuthError } from '../errors.ts';
import { createServer } from './node_http.ts';

export interface InternalOptions {
  readonly ready: () => Promise<boolean>;
  readonly metrics: () => string;
  /** Paths that `handler` answers here. */
  readonly paths: ReadonlySet<string>;
  readonly handler: RequestListener;
}

export interface InternalListener {
  readonly server: Server;
  /** Whether a request came over this port. */
  owns(socket: Socket): boolean;
}

export function createInternalListener(options: InternalOptions): InternalListener {
  const connections = new WeakSet<Socket>();
  const server = createServer(async (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    if (options.paths.has(path)) return options.handler(request, response);
    const [status, type, body] = await answer(path, request.method, options);
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
  });
  server.on('connection', (socket: Socket) => connections.add(socket));
  return { server, owns: (socket) => connections.has(socket) };
}

async function answer(
  path: string,
  method: string | undefined,
  options: InternalOptions,
): Promise<[number, string, string]> {
  if (method !== 'GET' && method !== 'HEAD') return [405, 'text/plain', 'method not allowed\n'];
  if (path === '/livez') return [200, 'text/plain', 'ok\n'];
  if (path === '/readyz') {
    const ready = await options.ready().catch(() => false);
    return ready ? [200, 'text/plain', 'ready\n'] : [503, 'text/plain', 'not ready\n'];
  }
  if (path === '/metrics') return [200, 'text/plain; version=0.0.4; charset=utf-8', options.metrics()];
  return [404, 'text/plain', 'not found\n'];
}

/** Routes that only `isInside` requests find; for everybody else there is nothing at their address. By route, not by spelling. */
export function keepInside(
  app: FastifyInstance,
  routes: ReadonlySet<string>,
  isInside: (socket: Socket) => boolean,
): void {
  app.addHook('onRequest', async (request) => {
    if (!routes.has(request.routeOptions.url ?? '') || isInside(request.raw.socket)) return;
    throw new AuthError('not_found', 'There is nothing at this address.');
  });
}
