// The client's side: Node's HTTP server and what it hands over. Each request goes through the door, and is forwarded or
// refused; each ends as one entry of the access log.
//
// An answer that could be taken for the answer to another request is not sent: a connection whose reading is in doubt is
// closed instead.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AccessLog } from './access_log.ts';
import type { Admission, Door, Rejection } from './admission.ts';
import type { Connections } from './connections.ts';
import { type ForwardSettings, forward } from './forward.ts';
import { forwardUpgrade } from './forward_upgrade.ts';
import { type CompiledRoute, defaultMethods } from './options.ts';
import {
  methodNotAllowed,
  type Refusal,
  refusedUpgrade,
  sendRawRefusal,
  slowRequest,
  tooManyHeaders,
  unreadable,
} from './refusals.ts';
import { refuseRequest } from './refuse_request.ts';
import { newRequestId } from './trace.ts';
import type { Pool } from './upstreams.ts';

export interface Front {
  readonly door: Door;
  readonly poolOf: (route: CompiledRoute) => Pool;
  readonly accessLog: AccessLog;
  readonly connections: Connections;
  readonly forward: ForwardSettings;
}

/** Takes over everything that the server would do by itself. */
export function attachFront(server: Server, front: Front): void {
  const onRequest = (incoming: IncomingMessage, response: ServerResponse) =>
    serveRequest(front, incoming, response);
  server.on('request', onRequest);
  server.on('checkContinue', onRequest);
  server.on('checkExpectation', onRequest);
  server.on('upgrade', (incoming, socket, early) => serveUpgrade(front, incoming, socket, early));
  server.on('connect', (_incoming, socket) => {
    front.connections.detached(socket);
    socket.on('error', () => socket.destroy());
    const refusal = methodNotAllowed(defaultMethods);
    front.accessLog.unreadable(refusal);
    sendRawRefusal(socket, refusal, newRequestId());
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => answerUnreadable(front, error, socket));
}

function serveRequest(front: Front, incoming: IncomingMessage, response: ServerResponse): void {
  const { door, accessLog, connections } = front;
  const caller = door.identify(incoming);
  const { requestId } = caller;
  const entry = accessLog.begin(incoming, caller);
  response.on('close', () => entry.end(response.statusCode, !response.writableFinished));
  const refuse = (refusal: Refusal) => {
    entry.refusal ??= refusal;
    refuseRequest({ incoming, response, requestId, closing: front.forward.closing() }, refusal);
  };
  connections.opened(incoming.socket, { response, refuse });
  const proceed = (outcome: Admission | Rejection) => {
    entry.route = outcome.route;
    if ('refusal' in outcome) return refuse(outcome.refusal);
    // The client may have gone while a key was fetched.
    if (response.destroyed || response.headersSent) return;
    const pool = front.poolOf(outcome.route);
    forward({ incoming, response, admission: outcome, pool, refuse }, front.forward);
  };
  guarded(
    () => door.admit(incoming, caller, false),
    proceed,
    (error) => refuse(accessLog.unforeseen(error, requestId)),
  );
}

function serveUpgrade(front: Front, incoming: IncomingMessage, socket: Duplex, early: Buffer): void {
  const { door, accessLog, connections } = front;
  const waiting = connections.openOn(socket).length > 0;
  connections.detached(socket);
  socket.on('error', () => socket.destroy());
  // An answer is still due in front of this one, and nobody would write it now.
  if (waiting) {
    socket.destroy();
    return;
  }
  const caller = door.identify(incoming);
  const entry = accessLog.begin(incoming, caller);
  const refuse = (refusal: Refusal) => {
    entry.refusal = refusal;
    sendRawRefusal(socket, refusal, caller.requestId);
    entry.end(refusal.status, false);
  };
  const proceed = (outcome: Admission | Rejection) => {
    entry.route = outcome.route;
    if ('refusal' in outcome) return refuse(outcome.refusal);
    if (socket.destroyed) return;
    const answered = (status: number) => entry.end(status, false);
    const pool = front.poolOf(outcome.route);
    forwardUpgrade({ socket: asSocket(socket), admission: outcome, pool, refuse, answered }, front.forward);
  };
  // RFC 6455 §4.1: a client sends nothing before the answer. Whatever this is, nobody here has read it.
  if (early.length > 0) {
    refuse(refusedUpgrade);
    return;
  }
  guarded(
    () => door.admit(incoming, caller, true),
    proceed,
    (error) => refuse(accessLog.unforeseen(error, caller.requestId)),
  );
}

/** Node's types promise a Duplex; its servers hand over the socket itself, TLS or not. */
function asSocket(socket: Duplex): Socket {
  return socket as Socket;
}

/** What Node could not read: a request of its own, or the rest of one that is being answered. */
function answerUnreadable(
  { connections, accessLog }: Front,
  error: NodeJS.ErrnoException,
  socket: Duplex,
): void {
  const [only, ...more] = connections.openOn(socket);
  const refusal = unreadableAs(error.code);
  if (error.code === 'ECONNRESET' || more.length > 0 || only?.response.headersSent === true) {
    socket.destroy();
  } else if (only === undefined) {
    connections.detached(socket);
    accessLog.unreadable(refusal);
    sendRawRefusal(socket, refusal, newRequestId());
  } else if (only.response.req.complete) {
    // The fault is in the next request; its answer would be taken for this one's.
    socket.destroy();
  } else {
    only.refuse(refusal);
  }
}

function unreadableAs(code: string | undefined): Refusal {
  if (code === 'HPE_HEADER_OVERFLOW') return tooManyHeaders;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? slowRequest : unreadable;
}

/** Runs a step that may answer at once or later; whatever is thrown goes to `failed`. */
function guarded<Result>(
  run: () => Result | Promise<Result>,
  proceed: (result: Result) => void,
  failed: (error: unknown) => void,
): void {
  try {
    const result = run();
    if (result instanceof Promise) result.then(proceed).catch(failed);
    else proceed(result);
  } catch (error) {
    failed(error);
  }
}
