// `requireToken` for node:http and Express. It needs the raw headers and nothing else of the framework, so its types are structural
// and nothing is imported. On success the request gets `auth` (frozen header and claims); a refusal is written at once
// and `next` is never called.
import { readBearer } from './bearer.ts';
import {
  checkRequirement,
  decide,
  type TokenRequirement,
  type TokenVerifier,
  type VerifiedToken,
} from './guard.ts';

export { BearerError, readBearer } from './bearer.ts';
export type { TokenRequirement, TokenVerifier } from './guard.ts';

/** What is used of `http.IncomingMessage`. */
export interface HttpRequest {
  readonly rawHeaders: readonly string[];
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  auth?: VerifiedToken;
}

/** What is used of `http.ServerResponse`. */
export interface HttpResponse {
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(body: string): unknown;
}

export type HttpGuard = (
  request: HttpRequest,
  response: HttpResponse,
  next?: (error?: unknown) => void,
) => Promise<VerifiedToken | undefined>;

/**
 * Express: `app.get('/records', requireToken(verifier, { permission: 'records:read' }), handler)`. node:http: `const auth = await
 * guard(request, response)`, undefined when the refusal was sent. A fault of ours goes to `next`, or rejects where there
 * is none. Throws TypeError for a requirement that is none.
 */
export function requireToken(verifier: TokenVerifier, requirement: TokenRequirement = {}): HttpGuard {
  checkRequirement(requirement);
  return async (request, response, next) => {
    let auth: VerifiedToken | undefined;
    try {
      auth = await admit(verifier, requirement, request, response);
    } catch (error) {
      if (next === undefined) throw error;
      next(error);
      return undefined;
    }
    if (auth !== undefined) next?.();
    return auth;
  };
}

async function admit(
  verifier: TokenVerifier,
  requirement: TokenRequirement,
  request: HttpRequest,
  response: HttpResponse,
): Promise<VerifiedToken | undefined> {
  const id = request.headers['x-request-id'];
  const outcome = await decide(
    verifier,
    requirement,
    () => readBearer(request.rawHeaders),
    typeof id === 'string' ? id : undefined,
  );
  if ('auth' in outcome) {
    request.auth = outcome.auth;
    return outcome.auth;
  }
  const { status, headers, body } = outcome.refusal;
  response.writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(body)) });
  response.end(body);
  return undefined;
}
