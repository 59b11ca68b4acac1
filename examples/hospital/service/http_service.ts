// A small HTTP service whose every endpoint wants a valid access token. The gateway has verified the token already; this
// service does it again, because a network path around the gateway must not be a path around the check.
//
// In this order: request id, route, token and permission, handler, answer. Errors leave as
// {"error","error_description","request_id"}.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type AccessTokenClaims, refusalOf, TokenError } from '@latchkey/core';
import { readBearer, requireToken, type TokenRequirement, type TokenVerifier } from '@latchkey/core/http';
import { HttpError } from './http_error.ts';

export interface Call {
  readonly request: IncomingMessage;
  readonly url: URL;
  /** The `:name` parts of the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly claims: AccessTokenClaims;
  /** The user's own token: to call another service in the user's name, and for nothing else. */
  readonly token: string;
  readonly requestId: string;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object;
}

export interface Endpoint {
  readonly method: 'GET' | 'POST';
  /** Such as `/api/patients/:id/records`. */
  readonly path: string;
  /** What the token must carry; whose row it is, the handler decides. */
  readonly requires?: TokenRequirement;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
}

export interface HttpServiceOptions {
  readonly endpoints: readonly Endpoint[];
  readonly verifier: TokenVerifier;
  /** Asked first: public files. True when it has answered. */
  readonly files?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Told of faults of ours; gets no token and no body. */
  readonly report: (message: string) => void;
}

export function createHttpService(options: HttpServiceOptions): RequestListener {
  const { files, report } = options;
  const endpoints = options.endpoints.map((endpoint) => ({
    ...endpoint,
    guard: requireToken(options.verifier, endpoint.requires),
  }));
  return async (request, response) => {
    const requestId = requestIdOf(request);
    request.headers['x-request-id'] = requestId;
    try {
      if (files?.(request, response) === true) return;
      const url = parseUrl(request.url ?? '');
      const { endpoint, params } = route(endpoints, request.method ?? '', url.pathname);
      const auth = await endpoint.guard(request, response);
      if (auth === undefined) return; // the refusal is on its way
      const token = readBearer(request.rawHeaders);
      const answer = await endpoint.handle({ request, url, params, claims: auth.claims, token, requestId });
      send(response, { status: 200, ...answer }, requestId);
    } catch (error) {
      const answer = answerTo(error, requestId);
      if (answer.status === 500)
        report(`request ${requestId} failed: ${error instanceof Error ? error.stack : ''}`);
      if (response.headersSent) response.destroy();
      else send(response, answer, requestId);
    }
  };
}

/** The gateway's id, so that one request can be followed through all logs; our own when there is none. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

function parseUrl(target: string): URL {
  const base = 'http://service.invalid';
  const url = target.startsWith('/') && URL.canParse(base + target) ? new URL(base + target) : undefined;
  if (url === undefined) throw new HttpError(400, 'invalid_request', 'The path cannot be read.');
  return url;
}

function route<E extends Endpoint>(
  endpoints: readonly E[],
  method: string,
  path: string,
): { endpoint: E; params: Record<string, string> } {
  const allowed: string[] = [];
  for (const endpoint of endpoints) {
    const params = match(endpoint.path, path);
    if (params === undefined) continue;
    if (endpoint.method === method) return { endpoint, params };
    allowed.push(endpoint.method);
  }
  if (allowed.length === 0) throw new HttpError(404, 'not_found', 'There is nothing here.');
  throw new HttpError(405, 'invalid_request', 'This method is not offered here.', {
    headers: { allow: allowed.join(', ') },
  });
}

/** The parameters when the path fits. Ids here are plain: anything that would need decoding is not one of ours. */
function match(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? '';
    if (part.startsWith(':')) {
      if (!/^[\w-]{1,64}$/.test(value)) return undefined;
      params[part.slice(1)] = value;
    } else if (part !== value) return undefined;
  }
  return params;
}

function send(
  response: ServerResponse,
  { status, headers, body }: Answer & { readonly status: number },
  requestId: string,
): void {
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    // What a person may see is nobody else's: not in a shared cache, nor on the disk of a shared computer.
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
  });
  response.end(JSON.stringify(body));
}

/** What the caller hears of a refusal, or of a fault of ours: of the latter nothing but the request id. */
function answerTo(error: unknown, requestId: string): Answer & { readonly status: number } {
  if (error instanceof TokenError) {
    const { status, headers, body } = refusalOf(error);
    return { status, headers, body: { ...body, request_id: requestId } };
  }
  if (error instanceof HttpError) {
    const { status, code, message, reason, headers } = error;
    const body = { error: code, error_description: message, ...(reason === undefined ? {} : { reason }) };
    return { status, headers, body: { ...body, request_id: requestId } };
  }
  const body = { error: 'server_error', error_description: 'The fault is ours.', request_id: requestId };
  return { status: 500, body };
}
