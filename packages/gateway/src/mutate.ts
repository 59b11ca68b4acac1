// Step 5: the header fields as the upstream, and then the client, get them. What the client said about identity, address
// and connection is removed first; then ours is added, so that neither a `Connection: X-Auth-Subject` (RFC 9110 §7.6.1) nor
// any spelling of the name can remove or double it.
//
// Framing is written anew from what was parsed (RFC 9112 §6.3), and trailers are not forwarded at all.
import type { AccessTokenClaims } from '@latchkey/core';
import { type Identity, isTokenSubprotocol, subprotocols } from './authenticate.ts';
import type { ClientAddress } from './client_address.ts';
import { setsOwnCookie, withoutOwnCookies } from './cookies.ts';
import { requestFate, responseFate } from './header_fate.ts';
import type { Framing, NormalRequest } from './normalise.ts';
import type { RouteKind } from './options.ts';
import { isTraceparent, newTraceparent } from './trace.ts';

export interface MutateInput {
  readonly request: NormalRequest;
  readonly kind: RouteKind;
  readonly identity: Identity | undefined;
  readonly client: ClientAddress;
  readonly secure: boolean;
  readonly requestId: string;
}

/** The request's header fields for the upstream: name, value, name, value. */
export function requestHeaders({
  request,
  kind,
  identity,
  client,
  secure,
  requestId,
}: MutateInput): string[] {
  const { rawHeaders, connectionOptions } = request;
  const headers = ['Host', request.authority];
  let traceparent: string | undefined;
  let tracestate: string | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    const fate = requestFate(name);
    if (fate === 'drop' || fate === 'ours') continue;
    if (connectionOptions.length > 0 && connectionOptions.includes(name.toLowerCase())) continue;
    if (fate === 'keep') {
      headers.push(name, value);
    } else if (fate === 'cookie') {
      const cookies = kind === 'auth' ? value : withoutOwnCookies(value);
      if (cookies !== undefined) headers.push(name, cookies);
    } else if (fate === 'trace') {
      // Two of them say nothing: the second makes the value invalid.
      if (name.length === 11) traceparent = traceparent === undefined ? value : 'twice';
      else tracestate = tracestate === undefined ? value : `${tracestate},${value}`;
    }
  }
  if (request.upgrade) addUpgrade(headers, request, identity);
  addTrace(headers, traceparent, tracestate);
  headers.push('X-Request-Id', requestId);
  addForwarded(headers, request, client, secure);
  if (identity !== undefined) addIdentity(headers, identity);
  else if (request.authorization !== undefined && !connectionOptions.includes('authorization')) {
    headers.push('Authorization', request.authorization);
  }
  addFraming(headers, request.framing, request.method);
  return headers;
}

function addTrace(headers: string[], traceparent: string | undefined, tracestate: string | undefined): void {
  if (traceparent === undefined || !isTraceparent(traceparent)) {
    headers.push('traceparent', newTraceparent());
    return;
  }
  headers.push('traceparent', traceparent);
  if (tracestate !== undefined) headers.push('tracestate', tracestate);
}

function addForwarded(
  headers: string[],
  request: NormalRequest,
  client: ClientAddress,
  secure: boolean,
): void {
  headers.push('X-Forwarded-For', client.address);
  headers.push('X-Forwarded-Proto', secure ? 'https' : 'http');
  headers.push('X-Forwarded-Host', request.authority);
}

function addIdentity(headers: string[], { token, claims }: Identity): void {
  headers.push('X-Auth-Subject', visible(claims.sub));
  headers.push('X-Auth-Username', encodeURIComponent(String(claims.preferred_username).toWellFormed()));
  headers.push('X-Auth-Roles', rolesOf(claims));
  headers.push('X-Auth-Scope', visible(claims.scope));
  headers.push('X-Auth-Session', visible(claims.sid));
  headers.push('Authorization', `Bearer ${token}`);
}

/** A role that is not a role name could hold a comma and so become two roles: it grants nothing (threat C08). */
function rolesOf({ roles }: AccessTokenClaims): string {
  return roles.filter((role) => /^[a-z0-9][a-z0-9._:-]{0,63}$/.test(role)).join(',');
}

/** Printable ASCII as it is; anything else percent-encoded, so that no claim can break out of its field. */
function visible(value: string): string {
  return /^[\x20-\x7e]*$/.test(value) ? value : encodeURIComponent(value.toWellFormed());
}

function addFraming(headers: string[], framing: Framing, method: string): void {
  if (framing.kind === 'chunked') headers.push('Transfer-Encoding', 'chunked');
  else if (framing.kind === 'length') headers.push('Content-Length', String(framing.bytes));
  // RFC 9110 §8.6: a method that may carry content says that there is none.
  else if (method === 'POST' || method === 'PUT' || method === 'PATCH') headers.push('Content-Length', '0');
}

function addUpgrade(headers: string[], request: NormalRequest, identity: Identity | undefined): void {
  headers.push('Connection', 'Upgrade', 'Upgrade', 'websocket');
  const offered = subprotocols(request.rawHeaders).filter(
    (name) => identity === undefined || !isTokenSubprotocol(name),
  );
  if (offered.length > 0) headers.push('Sec-WebSocket-Protocol', offered.join(', '));
}

/** The answer's header fields for the client. */
export function responseHeaders(rawHeaders: readonly string[], kind: RouteKind, requestId: string): string[] {
  const headers: string[] = [];
  const listed = listedByConnection(rawHeaders);
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    const fate = responseFate(name);
    if (fate === 'drop' || fate === 'ours') continue;
    if (fate === 'cookie' && kind !== 'auth' && setsOwnCookie(value)) continue;
    if (listed?.includes(name.toLowerCase()) === true) continue;
    headers.push(name, value);
  }
  headers.push('X-Request-Id', requestId);
  return headers;
}

function listedByConnection(rawHeaders: readonly string[]): readonly string[] | undefined {
  let listed: string[] | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.length !== 10 || rawHeaders[index]?.toLowerCase() !== 'connection') continue;
    const value = rawHeaders[index + 1] as string;
    if (value === 'keep-alive' || value === 'close') continue;
    const options = value
      .toLowerCase()
      .split(',')
      .map((option) => option.trim());
    // Framing is not the upstream's to give away: without its Content-Length the answer would lose its end.
    listed = (listed ?? []).concat(options.filter((option) => option !== 'content-length'));
  }
  return listed;
}

/** The first field of that lower-case name. */
export function fieldOf(rawHeaders: readonly string[], name: string): string | undefined {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const field = rawHeaders[index] as string;
    if (field.length === name.length && field.toLowerCase() === name) return rawHeaders[index + 1];
  }
  return undefined;
}

/** All fields of that lower-case name, joined with commas (RFC 9110 §5.3). */
export function allOf(rawHeaders: readonly string[], name: string): string | undefined {
  let joined: string | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const field = rawHeaders[index] as string;
    if (field.length !== name.length || field.toLowerCase() !== name) continue;
    joined = joined === undefined ? rawHeaders[index + 1] : `${joined},${rawHeaders[index + 1]}`;
  }
  return joined;
}
