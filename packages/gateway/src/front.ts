// The client's side: Node's HTTP server and what it hands over. Each request gets an id, goes through the door, and is
// forwarded or refused; each ends as one line in the log and one count in the metrics.
//
// Answers never overtake one another on a connection, and a connection whose reading is in doubt is closed: an answer that
// could be taken for the answer to another request is not sent.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Admission, Caller, Door, Rejection } from './admission.ts';
import { type ForwardSettings, forward } from './forward.ts';
import { forwardUpgrade } from './forward_upgrade.ts';
import type { Metrics } from './metrics.ts';
import { fieldOf } from './mutate.ts';
import { type CompiledRoute, defaultMethods, type Logger } from './options.ts';
import {
  fault,
  methodNotAllowed,
  type Refusal,
  refusedUpgrade,
  sendRawRefusal,
  sendRefusal,
  slowRequest,
  tooManyHeaders,
  unreadable,
} from './refusals.ts';
import { newRequestId } from './trace.ts';
import type { Pool } from './upstreams.ts';

export interface FrontSettings {
  readonly door: Door;
  readonly poolOf: (route: CompiledRoute) => Pool;
  readonly metrics: Metrics;
  /** Where each request leaves its line; undefined for none. */
  readonly accessLog: Logger | undefined;
  readonly log: Logger | undefined;
  readonly forward: ForwardSettings;
}

export interface Front {
  attach(server: Server): void;
  /** Requests that are not answered to the end. */
  readonly inFlight: number;
}

/** What is said of a request when it is over. */
interface Record {
  readonly started: number;
  readonly incoming: IncomingMessage;
  readonly caller: Caller;
  route: CompiledRoute | undefined;
  refusal: Refusal | undefined;
}

/** A refused body up to this size is read and thrown away, so that the connection can be used again. */
const shortBody = 64 * 1024;
/** What a client may still send after a refusal before its connection is closed under it. */
const lingerBytes = 256 * 1024;
const lingerTime = 1_000;

export function createFront(settings: FrontSettings): Front {
  const { door, poolOf, metrics, accessLog, log } = settings;
  const connections = new WeakMap<Duplex, Set<ServerResponse>>();
  let inFlight = 0;

  const finish = (record: Record, status: number, aborted: boolean) => {
    const milliseconds = performance.now() - record.started;
    const { route, refusal, incoming, caller } = record;
    metrics.answered(route?.id ?? 'none', aborted ? 499 : status, milliseconds);
    if (refusal !== undefined) metrics.refused(refusal.reason);
    accessLog?.info(
      {
        request_id: caller.requestId,
        method: incoming.method,
        path: loggedPath(incoming.url),
        route: route?.id,
        status,
        ms: Math.round(milliseconds * 10) / 10,
        client: caller.client.address,
        ...(refusal === undefined ? {} : { reason: refusal.reason }),
        ...(aborted ? { aborted } : {}),
      },
      'request',
    );
  };

  /** Closed, not open (ASVS 16.5.3): what was not foreseen is answered 503 and written down without the request's words. */
  const unforeseen = (error: unknown, requestId: string): Refusal => {
    log?.error(
      { request_id: requestId, fault: error instanceof Error ? error.name : 'unknown' },
      'a check failed unexpectedly',
    );
    return fault;
  };

  const track = (socket: Socket, response: ServerResponse) => {
    let open = connections.get(socket);
    if (open === undefined) {
      const responses = new Set<ServerResponse>();
      connections.set(socket, responses);
      // Node tells only the response at the head of the line; those behind it would wait for ever.
      socket.once('close', () => {
        for (const waiting of responses) waiting.destroy();
      });
      open = responses;
    }
    open.add(response);
    return open;
  };

  const onRequest = (incoming: IncomingMessage, response: ServerResponse) => {
    const record: Record = {
      started: performance.now(),
      incoming,
      caller: door.identify(incoming),
      route: undefined,
      refusal: undefined,
    };
    const open = track(incoming.socket, response);
    inFlight += 1;
    response.on('close', () => {
      open.delete(response);
      inFlight -= 1;
      finish(record, response.statusCode, !response.writableFinished);
    });
    const refuse = (refusal: Refusal) => {
      record.refusal = refusal;
      refuseRequest(incoming, response, refusal, record.caller.requestId, settings.forward.closing());
    };
    const proceed = (outcome: Admission | Rejection) => {
      record.route = outcome.route;
      if ('refusal' in outcome) refuse(outcome.refusal);
      else
        forward(
          { incoming, response, admission: outcome, pool: poolOf(outcome.route), refuse },
          settings.forward,
        );
    };
    guarded(
      () => door.admit(incoming, record.caller, false),
      proceed,
      (error) => refuse(unforeseen(error, record.caller.requestId)),
    );
  };

  const onUpgrade = (incoming: IncomingMessage, socket: Duplex, early: Buffer) => {
    const record: Record = {
      started: performance.now(),
      incoming,
      caller: door.identify(incoming),
      route: undefined,
      refusal: undefined,
    };
    const { requestId } = record.caller;
    socket.on('error', () => socket.destroy());
    if ('setTimeout' in socket) (socket as Socket).setTimeout(0);
    const refuse = (refusal: Refusal) => {
      record.refusal = refusal;
      sendRawRefusal(socket, refusal, requestId);
      finish(record, refusal.status, false);
    };
    // Bytes behind the handshake, or answers still due in front of it: not a WebSocket client.
    if (early.length > 0) return refuse(refusedUpgrade);
    if ((connections.get(socket)?.size ?? 0) > 0) return void socket.destroy();
    const proceed = (outcome: Admission | Rejection) => {
      record.route = outcome.route;
      if ('refusal' in outcome) return refuse(outcome.refusal);
      const answered = (status: number) => finish(record, status, false);
      forwardUpgrade(
        { socket, admission: outcome, pool: poolOf(outcome.route), refuse, answered },
        settings.forward,
      );
    };
    guarded(
      () => door.admit(incoming, record.caller, true),
      proceed,
      (error) => refuse(unforeseen(error, requestId)),
    );
  };

  const onClientError = (error: NodeJS.ErrnoException, socket: Duplex) => {
    const refusal =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? tooManyHeaders
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? slowRequest
          : unreadable;
    const open = [...(connections.get(socket) ?? [])];
    const [only] = open;
    if (error.code === 'ECONNRESET' || open.length > 1 || only?.headersSent === true) {
      socket.destroy();
    } else if (only === undefined) {
      metrics.refused(refusal.reason);
      metrics.answered('none', refusal.status, 0);
      sendRawRefusal(socket, refusal, newRequestId());
    } else if (only.req.complete) {
      // The fault is in the next request; its answer would be taken for this one's.
      socket.destroy();
    } else {
      sendRefusal(only, refusal, newRequestId(), { close: true });
    }
  };

  return {
    attach(server) {
      server.on('request', onRequest);
      server.on('checkContinue', onRequest);
      server.on('checkExpectation', onRequest);
      server.on('upgrade', onUpgrade);
      server.on('connect', (_incoming, socket) => {
        socket.on('error', () => socket.destroy());
        metrics.refused('method');
        sendRawRefusal(socket, methodNotAllowed(defaultMethods), newRequestId());
      });
      server.on('clientError', onClientError);
    },
    get inFlight() {
      return inFlight;
    },
  };
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

/** Without the query, which may hold anything. */
function loggedPath(url: string | undefined): string {
  return (url ?? '').split(/[?#]/, 1)[0]?.slice(0, 1024) ?? '';
}

const doubtful = new Set(['bad_framing', 'bad_host', 'ambiguous_headers', 'too_many_headers']);

/** Answers with a refusal, and deals with a body that nobody will read. */
function refuseRequest(
  incoming: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
  requestId: string,
  closing: boolean,
): void {
  if (response.headersSent) return void incoming.socket.destroy();
  if (response.destroyed) return;
  incoming.removeAllListeners('data');
  const length = fieldOf(incoming.rawHeaders, 'content-length');
  const chunked = fieldOf(incoming.rawHeaders, 'transfer-encoding') !== undefined;
  const close = closing || doubtful.has(refusal.reason);
  if (
    incoming.complete ||
    (!chunked && Number(length ?? 0) <= shortBody && fieldOf(incoming.rawHeaders, 'expect') === undefined)
  ) {
    sendRefusal(response, refusal, requestId, { close });
    incoming.resume();
    return;
  }
  // RFC 9112 §9.6: closing while the client still sends would reset the connection and lose the answer.
  sendRefusal(response, refusal, requestId, { close: true, finish: false });
  let bytes = 0;
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, lingerTime);
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > lingerBytes) end();
  });
  incoming.on('end', end);
  incoming.on('error', end);
  incoming.resume();
}
