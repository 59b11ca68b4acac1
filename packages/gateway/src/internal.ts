// The internal port: `/livez` (the process turns), `/readyz` (it may be sent traffic), `/metrics`. Not for the public: it
// listens on loopback unless told otherwise, and it has no route into the pipeline.
import { createServer, type Server } from 'node:http';

export interface InternalPort {
  /** Why traffic should not come here yet; empty when it may. */
  readonly notReady: () => readonly string[];
  readonly metrics: () => string;
}

export function createInternalServer({ notReady, metrics }: InternalPort): Server {
  return createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, (request, response) => {
    const send = (status: number, type: string, body: string) => {
      response.writeHead(status, {
        'Content-Type': type,
        'Cache-Control': 'no-store',
        'Content-Length': Buffer.byteLength(body),
      });
      response.end(request.method === 'HEAD' ? '' : body);
    };
    const json = (status: number, value: object) => send(status, 'application/json', JSON.stringify(value));
    if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { error: 'invalid_request' });
    if (request.url === '/livez') return json(200, { status: 'ok' });
    if (request.url === '/readyz') {
      const reasons = notReady();
      return reasons.length === 0 ? json(200, { status: 'ok' }) : json(503, { status: 'not ready', reasons });
    }
    if (request.url === '/metrics') return send(200, 'text/plain; version=0.0.4; charset=utf-8', metrics());
    return json(404, { error: 'not_found' });
  });
}
