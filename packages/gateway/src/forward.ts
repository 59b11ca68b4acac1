// Step 6: to the upstream and back, streamed both ways. One `Exchange` is one request with its answer.
//
// Rules: a request goes out again only if its method is idempotent and it was not sent (RFC 9110 §9.2.2): the connection could
// not be made, or a kept one turned out to be closed without a byte of answer. A client that goes away takes the upstream's
// work with it; an upstream that breaks off in the middle breaks the client's connection too, so that nobody takes half an
// answer for a whole one.
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Admission } from './admission.ts';
import { pumpRequest, pumpResponse } from './forward_body.ts';
import { fieldOf, responseHeaders } from './mutate.ts';
import { bodyTooLarge, invalidAnswer, type Refusal, tooSlow, unreachable } from './refusals.ts';
import type { OpenStreams } from './streams.ts';
import type { Pool, Upstream } from './upstreams.ts';

export interface ForwardSettings {
  readonly stallTimeout: number;
  readonly connectTimeout: number;
  readonly now: () => number;
  readonly streams: OpenStreams;
  /** True when every answer should be the last one of its connection. */
  readonly closing: () => boolean;
}

export interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly admission: Admission;
  readonly pool: Pool;
  /** Answers with a refusal, unless the answer has already begun. */
  readonly refuse: (refusal: Refusal) => void;
}

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const mostAttempts = 3;

/** What went wrong while the upstream had not answered yet. */
interface Failure {
  readonly refusal: Refusal;
  /** True when the upstream cannot have seen the request. */
  readonly unsent: boolean;
  /** True when only a kept connection was at fault, not the upstream. */
  readonly staleConnection: boolean;
}

export function forward(exchange: Exchange, settings: ForwardSettings): void {
  const { response, admission, pool, refuse } = exchange;
  const { method } = admission.request;
  const tried: Upstream[] = [];
  let current: ClientRequest | undefined;

  const attemptAt = (upstream: Upstream, fresh: boolean) => {
    tried.push(upstream);
    current = attempt(exchange, settings, upstream, fresh, (failure) => {
      // A client that went away says nothing about the upstream.
      if (response.destroyed) return;
      if (!failure.staleConnection) upstream.failed(settings.now());
      const mayRepeat = failure.unsent && idempotent.has(method) && tried.length < mostAttempts;
      const other = failure.staleConnection ? upstream : pool.pick(settings.now(), tried);
      if (mayRepeat && other !== undefined) attemptAt(other, failure.staleConnection);
      else refuse(failure.refusal);
    });
  };
  // Also comes when all went well: a finished request is not touched by it.
  response.on('close', () => current?.destroy());
  const first = pool.pick(settings.now());
  if (first !== undefined) attemptAt(first, false);
}

/** One try at one upstream. `onFailure` is called at most once, and only before the answer has begun. */
function attempt(
  exchange: Exchange,
  settings: ForwardSettings,
  upstream: Upstream,
  fresh: boolean,
  onFailure: (failure: Failure) => void,
): ClientRequest {
  const { incoming, admission } = exchange;
  const { request, route } = admission;
  const outgoing = upstream.send(request.method, request.target, admission.headers, fresh);
  const hasBody = request.framing.kind !== 'none';
  let connected = false;
  let bodyTaken = false;
  let settled = false;
  let timer: NodeJS.Timeout | undefined;
  let stopBody = () => {};

  const settle = (): boolean => {
    if (settled) return false;
    settled = true;
    clearTimeout(timer);
    return true;
  };
  const fail = (refusal: Refusal, unsent: boolean, staleConnection = false) => {
    if (!settle()) return;
    stopBody();
    outgoing.destroy();
    onFailure({ refusal, unsent, staleConnection });
  };
  const awaitAnswer = () => {
    clearTimeout(timer);
    if (!settled) timer = setTimeout(() => fail(tooSlow, false), route.timeLimit);
  };
  const onConnected = () => {
    connected = true;
    clearTimeout(timer);
    if (!hasBody) return awaitAnswer();
    bodyTaken = true;
    if (request.expectsContinue) exchange.response.writeContinue();
    stopBody = pumpRequest(incoming, outgoing, route.bodyLimit, awaitAnswer, () => {
      if (!settle()) return;
      outgoing.destroy();
      exchange.refuse(bodyTooLarge);
    });
  };

  outgoing.on('socket', (socket) => {
    if (outgoing.reusedSocket || !socket.connecting) return onConnected();
    timer = setTimeout(() => fail(unreachable, true), settings.connectTimeout);
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', onConnected);
  });
  outgoing.on('response', (answer) => {
    upstream.succeeded();
    if (!settle()) {
      answer.destroy();
      return;
    }
    sendAnswer(exchange, answer, settings);
  });
  // Nobody asked for a change of protocol (RFC 9110 §7.8).
  outgoing.on('upgrade', (_answer, socket) => {
    socket.destroy();
    fail(invalidAnswer, false);
  });
  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    if (!connected) return fail(unreachable, true);
    const stale =
      outgoing.reusedSocket && !bodyTaken && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
    fail(error.code?.startsWith('HPE_') === true ? invalidAnswer : unreachable, stale, stale);
  });
  if (!hasBody) outgoing.end();
  return outgoing;
}

/** The upstream's answer, to the client. */
function sendAnswer(
  exchange: Exchange,
  answer: IncomingMessage,
  { stallTimeout, streams, closing }: ForwardSettings,
): void {
  const { incoming, response, admission } = exchange;
  const { rawHeaders, statusCode = 502 } = answer;
  const headers = responseHeaders(rawHeaders, admission.route.kind, admission.requestId);
  // An answer before the end of the request: the rest of the body is not worth reading.
  const unread = admission.request.framing.kind !== 'none' && !incoming.complete;
  if (unread || closing()) headers.push('Connection', 'close');
  try {
    response.writeHead(statusCode, headers);
  } catch {
    // A status or a field that Node would not send on.
    answer.destroy();
    exchange.refuse(invalidAnswer);
    return;
  }
  // The whole connection: a response alone may be waiting behind a pipelined one.
  const breakOff = () => incoming.socket.destroy();
  answer.on('error', breakOff);
  answer.on('close', () => {
    if (!answer.complete) breakOff();
  });
  if (isEventStream(rawHeaders)) {
    response.flushHeaders();
    streams.watch(admission, response, breakOff, 'response');
  } else if (admission.request.method !== 'HEAD' && statusCode !== 204 && statusCode !== 304) {
    // A body without a length may be long in coming: the client shall have the header section now.
    if (fieldOf(rawHeaders, 'content-length') === undefined) response.flushHeaders();
  }
  pumpResponse(answer, response, stallTimeout, breakOff);
}

function isEventStream(rawHeaders: readonly string[]): boolean {
  return fieldOf(rawHeaders, 'content-type')?.toLowerCase().startsWith('text/event-stream') === true;
}
