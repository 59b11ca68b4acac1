// The internal port: /livez (the process turns), /readyz (it can serve: the database answers), /metrics (Prometheus text).
// Never reachable through the public one.
import type { Server } from 'node:http';
import { createServer } from './node_http.ts';

export interface InternalOptions {
  readonly ready: () => Promise<boolean>;
  readonly metrics: () => string;
}

export function createInternalServer(options: InternalOptions): Server {
  return createServer(async (request, response) => {
    const path = request.url?.split('?')[0];
    const [status, type, body] = await answer(path, request.method, options);
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
  });
}

async function answer(
  path: string | undefined,
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
