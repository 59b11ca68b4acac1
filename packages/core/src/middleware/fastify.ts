// `requireToken` for Fastify: an `onRequest` hook, so that a refused request's body is never parsed. Types are structural, nothing is
// imported. For the type of `request.auth`, a service declares it once (docs/services.md).
import { readBearer } from './bearer.ts';
import {
  checkRequirement,
  decide,
  type TokenRequirement,
  type TokenVerifier,
  type VerifiedToken,
} from './guard.ts';

export type { TokenRequirement, TokenVerifier } from './guard.ts';

/** What is used of `FastifyRequest`. */
export interface FastifyRequestLike {
  readonly id: string;
  readonly raw: { readonly rawHeaders: readonly string[] };
  auth?: VerifiedToken | null;
}

/** What is used of `FastifyReply`. */
export interface FastifyReplyLike {
  code(status: number): this;
  headers(values: Record<string, string>): this;
  send(payload: string): this;
}

/** What is used of `FastifyInstance`. */
export interface FastifyLike {
  decorateRequest(name: string, value: null): unknown;
  addHook(name: 'onRequest', hook: FastifyHook): unknown;
}

export type FastifyHook = (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>;

/** One route: `app.get('/records', { onRequest: requireToken(verifier, { permission: 'records:read' }) }, handler)`. */
export function requireToken(verifier: TokenVerifier, requirement: TokenRequirement = {}): FastifyHook {
  checkRequirement(requirement);
  return async (request, reply) => {
    const outcome = await decide(verifier, requirement, () => readBearer(request.raw.rawHeaders), request.id);
    if ('auth' in outcome) {
      request.auth = outcome.auth;
      return undefined;
    }
    const { status, headers, body } = outcome.refusal;
    return reply.code(status).headers(headers).send(body);
  };
}

export interface TokenPluginOptions extends TokenRequirement {
  readonly verifier: TokenVerifier;
}

/**
 * Every route of the instance it is registered with and of those below: `app.register(tokenPlugin, { verifier })`. It does not
 * create a context of its own: that is what the marker below says to Fastify.
 */
export async function tokenPlugin(
  app: FastifyLike,
  { verifier, ...requirement }: TokenPluginOptions,
): Promise<void> {
  const hook = requireToken(verifier, withoutPrefix(requirement));
  app.decorateRequest('auth', null);
  app.addHook('onRequest', hook);
}
Object.assign(tokenPlugin, { [Symbol.for('skip-override')]: true });

/** Fastify hands its own register options to the plugin as well. */
function withoutPrefix(options: TokenRequirement): TokenRequirement {
  const { prefix, logLevel, logSerializers, ...requirement } = options as Record<string, unknown>;
  return requirement;
}
