// Every answer the gateway gives in its own name. A refusal is a value, not an exception: the steps of the pipeline
// return one and the composition sends it.
//
// Rules: the body is always `{ error, error_description, reason?, request_id }`; nothing of the request is echoed; a 401
// follows RFC 6750 §3. `reason` is one of a closed list, because it is also a label of the metrics.

import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { refusalOf, TokenError } from '@latchkey/core';

export type RefusalReason =
  | 'ambiguous_path'
  | 'ambiguous_headers'
  | 'bad_framing'
  | 'bad_host'
  | 'bad_request'
  | 'too_many_headers'
  | 'slow_request'
  | 'method'
  | 'expectation'
  | 'upgrade'
  | 'no_route'
  | 'role'
  | 'body_too_large'
  | 'address_rate'
  | 'subject_rate'
  | 'upstream_unreachable'
  | 'upstream_timeout'
  | 'upstream_invalid'
  | 'closing'
  | 'fault'
  | TokenError['reason'];

/** One refused request: what the client hears, and the label under which it is counted. */
export class Refusal {
  readonly status: number;
  readonly error: string;
  readonly description: string;
  readonly reason: RefusalReason;
  /** Extra header fields: name, value, name, value. */
  readonly headers: readonly string[];

  constructor(
    status: number,
    error: string,
    reason: RefusalReason,
    description: string,
    headers: readonly string[] = [],
  ) {
    this.status = status;
    this.error = error;
    this.reason = reason;
    this.description = description;
    this.headers = headers;
  }
}

export function invalidRequest(reason: RefusalReason, description: string): Refusal {
  return new Refusal(400, 'invalid_request', reason, description);
}

export const noRoute = new Refusal(404, 'not_found', 'no_route', 'There is nothing at this address.');
export const bodyTooLarge = new Refusal(
  413,
  'invalid_request',
  'body_too_large',
  'The body is larger than allowed here.',
);
export const tooManyHeaders = new Refusal(
  431,
  'invalid_request',
  'too_many_headers',
  'The header fields are too many or too long.',
);
export const slowRequest = new Refusal(
  408,
  'invalid_request',
  'slow_request',
  'The request took too long to arrive.',
);
export const unmetExpectation = new Refusal(
  417,
  'invalid_request',
  'expectation',
  'Only the expectation 100-continue is known here.',
);
export const refusedUpgrade = invalidRequest('upgrade', 'Only an upgrade to websocket is known here.');
export const unreadable = invalidRequest('bad_request', 'The request is not well-formed HTTP/1.1.');
export const fault = new Refusal(503, 'unavailable', 'fault', 'The gateway could not check this request.', [
  'Retry-After',
  '1',
]);
export const closing = new Refusal(503, 'unavailable', 'closing', 'This gateway is shutting down.', [
  'Retry-After',
  '1',
]);
export const unreachable = new Refusal(
  502,
  'unavailable',
  'upstream_unreachable',
  'The service behind the gateway cannot be reached.',
);
export const invalidAnswer = new Refusal(
  502,
  'unavailable',
  'upstream_invalid',
  'The service behind the gateway gave no valid answer.',
);
export const tooSlow = new Refusal(
  504,
  'unavailable',
  'upstream_timeout',
  'The service behind the gateway took too long to answer.',
);

/** RFC 9110 §15.5.6: a 405 names the methods that would do. */
export function methodNotAllowed(methods: Iterable<string>): Refusal {
  const allow = [...methods].join(', ');
  return new Refusal(405, 'invalid_request', 'method', 'This method is not allowed here.', ['Allow', allow]);
}

export function rateLimited(reason: 'address_rate' | 'subject_rate', seconds: number): Refusal {
  const wait = String(Math.max(1, Math.ceil(seconds)));
  return new Refusal(429, 'rate_limited', reason, 'Too many requests: wait before the next one.', [
    'Retry-After',
    wait,
  ]);
}

/** RFC 6750 §3.1 `insufficient_scope`; `permission` is a configured name, so it is safe inside the quotes. */
export function insufficientScope(permission: string | undefined): Refusal {
  const scope = permission === undefined ? '' : `, scope="${permission}"`;
  return new Refusal(
    403,
    'insufficient_scope',
    'insufficient_scope',
    'The access token does not permit this.',
    ['WWW-Authenticate', `Bearer error="insufficient_scope"${scope}`],
  );
}

/** The refusal for a token that did not verify. Anything but a TokenError is our own fault, and closes the door too. */
export function tokenRefusal(error: unknown): Refusal {
  if (!(error instanceof TokenError)) return fault;
  const { status, headers, body } = refusalOf(error);
  return new Refusal(status, body.error, body.reason, body.error_description, Object.entries(headers).flat());
}

export const missingToken = tokenRefusal(new TokenError('missing_token', 'no bearer token'));
export const malformedToken = tokenRefusal(new TokenError('malformed', 'not one bearer token'));

function bodyOf(refusal: Refusal, requestId: string): string {
  return JSON.stringify({
    error: refusal.error,
    error_description: refusal.description,
    reason: refusal.reason,
    request_id: requestId,
  });
}

function headersOf(refusal: Refusal, requestId: string, length: number): string[] {
  return [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(length),
    'Cache-Control',
    'no-store',
    'X-Content-Type-Options',
    'nosniff',
    'X-Request-Id',
    requestId,
    ...refusal.headers,
  ];
}

/**
 * Answers with a refusal. `finish: false` writes all of it but leaves the message open, for a client that is still
 * sending: closing at once would reset the connection and lose the answer.
 */
export function sendRefusal(
  response: ServerResponse,
  refusal: Refusal,
  requestId: string,
  { close = false, finish = true }: { readonly close?: boolean; readonly finish?: boolean } = {},
): void {
  const body = Buffer.from(bodyOf(refusal, requestId));
  const headers = headersOf(refusal, requestId, body.length);
  if (close) headers.push('Connection', 'close');
  response.writeHead(refusal.status, headers);
  if (finish) response.end(body);
  else response.write(body);
}

/** The same on a bare socket, where Node has no response object: failed parsing, CONNECT, upgrades. Closes it. */
export function sendRawRefusal(socket: Duplex, refusal: Refusal, requestId: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = bodyOf(refusal, requestId);
  const headers = [...headersOf(refusal, requestId, Buffer.byteLength(body)), 'Connection', 'close'];
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}\r\n${headerLines(headers)}\r\n${body}`,
  );
  destroySoon(socket);
}

/** Half a second for the client to take the answer: a reset while it still sends would lose it (RFC 9112 §9.6). */
function destroySoon(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), 500);
  socket.once('end', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
}

/**
 * Header fields as they go over the wire. Names and values come from a strict parser or from us; were one ever to hold a line
 * break all the same, it is left out rather than let split the answer.
 */
export function headerLines(headers: readonly string[]): string {
  let lines = '';
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const line = `${headers[index]}: ${headers[index + 1]}`;
    if (/^[^\r\n\0]*$/.test(line)) lines += `${line}\r\n`;
  }
  return lines;
}
