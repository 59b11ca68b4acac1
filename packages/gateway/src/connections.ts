// What is open on each client connection. Node answers pipelined requests in order but tells only the first response when the
// connection is gone, and it forgets a connection that was handed over for an upgrade: both are remembered here, so that
// nothing waits for ever and a shutdown ends.
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Refusal } from './refusals.ts';

export interface OpenRequest {
  readonly response: ServerResponse;
  readonly refuse: (refusal: Refusal) => void;
}

export interface Connections {
  /** A request has begun; it is forgotten when its response closes. */
  opened(socket: Duplex, request: OpenRequest): void;
  /** The requests on this connection that are not answered to the end, oldest first. */
  openOn(socket: Duplex): readonly OpenRequest[];
  /** Node no longer knows this connection. */
  detached(socket: Duplex): void;
  destroyDetached(): void;
  /** Requests that are not answered to the end. */
  readonly inFlight: number;
}

export function createConnections(): Connections {
  const open = new WeakMap<Duplex, Set<OpenRequest>>();
  const detachedSockets = new Set<Duplex>();
  let inFlight = 0;

  const requestsOn = (socket: Duplex): Set<OpenRequest> => {
    const known = open.get(socket);
    if (known !== undefined) return known;
    const requests = new Set<OpenRequest>();
    open.set(socket, requests);
    socket.once('close', () => {
      for (const { response } of requests) response.destroy();
    });
    return requests;
  };

  return {
    opened(socket, request) {
      const requests = requestsOn(socket);
      requests.add(request);
      inFlight += 1;
      request.response.once('close', () => {
        requests.delete(request);
        inFlight -= 1;
      });
    },
    openOn: (socket) => [...(open.get(socket) ?? [])],
    detached(socket) {
      detachedSockets.add(socket);
      socket.once('close', () => detachedSockets.delete(socket));
    },
    destroyDetached() {
      for (const socket of detachedSockets) socket.destroy();
    },
    get inFlight() {
      return inFlight;
    },
  };
}
