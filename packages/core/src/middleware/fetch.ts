// For handlers of the fetch kind, `(request: Request) => Response`: Hono, Deno, Bun and others. `authenticate` returns either the token or
// the refusal to return; `requireToken` is the same as a Hono middleware, which puts the token under `auth`.
import { readAuthorization } from './bearer.ts';
import {
  checkRequirement,
  decide,
  type TokenRequirement,
  type TokenVerifier,
  type VerifiedToken,
} from './guard.ts';

export type { TokenRequirement, TokenVerifier } from './guard.ts';

/** Throws TypeError for a requirement that is none; rejects only where something of ours is broken. */
export async function authenticate(
  request: Request,
  verifier: TokenVerifier,
  requirement: TokenRequirement = {},
): Promise<{ readonly auth: VerifiedToken } | { readonly response: Response }> {
  checkRequirement(requirement);
  const { headers } = request;
  const outcome = await decide(
    verifier,
    requirement,
    () => readAuthorization(headers.get('authorization')),
    headers.get('x-request-id'),
  );
  if ('auth' in outcome) return outcome;
  const { status, headers: answer, body } = outcome.refusal;
  return { response: new Response(body, { status, headers: answer }) };
}

/** What is used of Hono's `Context`. */
export interface HonoContextLike {
  readonly req: { readonly raw: Request };
  set(name: 'auth', value: VerifiedToken): void;
}

export type HonoMiddleware = (
  context: HonoContextLike,
  next: () => Promise<void>,
) => Promise<Response | undefined>;

/** `app.get('/records', requireToken(verifier, { permission: 'records:read' }), (c) => c.json(c.get('auth').claims.sub))`. */
export function requireToken(verifier: TokenVerifier, requirement: TokenRequirement = {}): HonoMiddleware {
  checkRequirement(requirement);
  return async (context, next) => {
    const outcome = await authenticate(context.req.raw, verifier, requirement);
    if ('response' in outcome) return outcome.response;
    context.set('auth', outcome.auth);
    await next();
    return undefined;
  };
}
