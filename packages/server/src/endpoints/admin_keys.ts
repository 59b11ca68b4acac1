// /auth/admin/keys: the signing keys. Private parts never leave the server.
import { AuthError } from '../errors.ts';
import { keyAnswer, keySchema } from '../http/admin_answers.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed, page, pageOf, pageQuery } from '../http/schemas.ts';
import type { SigningKeyring } from '../keys/signing_keyring.ts';

export interface AdminKeysOptions {
  readonly signingKeys: SigningKeyring;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function adminKeysEndpoints(options: AdminKeysOptions): AnyEndpoint[] {
  return [list(options), rotate(options), remove(options)];
}

/** As a key goes through them, backwards. */
const order = ['previous', 'current', 'next'] as const;

function list({ signingKeys }: AdminKeysOptions): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/admin/keys',
    access: { permission: 'latchkey:keys:read' },
    tag: 'Keys',
    summary: 'All signing keys: previous ones, the current, the next',
    query: closed(pageQuery),
    responses: { 200: pageOf(keySchema) },
    async handle({ query: { limit = 50, after } }) {
      const keys = await signingKeys.list();
      const all = order.flatMap((state) => keys.filter((key) => key.state === state));
      // A key that has gone since is no place to go on from: then from the beginning, so that none is left out.
      const rest = all.slice(all.findIndex(({ kid }) => kid === after) + 1);
      return page(rest.slice(0, limit + 1), limit, ({ kid }) => kid, keyAnswer);
    },
  });
}

/** Why the next key does not sign yet: some cache may not have it, or some verifier that is connected has not said so. */
async function refusal({ signingKeys, now }: AdminKeysOptions): Promise<AuthError> {
  const next = (await signingKeys.list()).find((key) => key.state === 'next');
  const seconds = Math.ceil(((next?.activatesAt ?? 0) - now()) / 1000);
  if (seconds > 0)
    return new AuthError('conflict', 'The next key has not been published for long enough.', {
      reason: 'too_early',
      retryAfter: seconds,
    });
  return new AuthError('conflict', 'A verifier that is connected has not said that it has the next key.', {
    reason: 'awaiting_verifiers',
    retryAfter: 5,
  });
}

function rotate(options: AdminKeysOptions): AnyEndpoint {
  const { signingKeys } = options;
  return endpoint({
    method: 'POST',
    path: '/auth/admin/keys/rotate',
    access: { permission: 'latchkey:keys:write' },
    revokes: true,
    tag: 'Keys',
    summary:
      'Let the next key sign now. 409 (Retry-After) while some cache (reason too_early) or connected verifier (awaiting_verifiers) may not have it; `immediately` does it all the same',
    optionalBody: true,
    body: Type.Union([closed({ immediately: Type.Optional(Type.Boolean()) }), Type.Null()]),
    responses: { 200: keySchema },
    async handle({ body, origin }) {
      const before = signingKeys.current.kid;
      await signingKeys.rotate(origin, true, body?.immediately === true);
      const current = (await signingKeys.list()).find((key) => key.kid === signingKeys.current.kid);
      if (current === undefined || current.kid === before) throw await refusal(options);
      return keyAnswer(current);
    },
  });
}

function remove({ signingKeys }: AdminKeysOptions): AnyEndpoint {
  return endpoint({
    method: 'DELETE',
    path: '/auth/admin/keys/:kid',
    access: { permission: 'latchkey:keys:write' },
    revokes: true,
    tag: 'Keys',
    summary: 'Emergency: the key is gone at once and every token it signed is dead; clients refresh',
    params: closed({ kid: Type.String({ maxLength: 64 }) }),
    responses: { 204: null },
    async handle({ origin, params, reply }) {
      await signingKeys.remove(params.kid, origin);
      reply.code(204);
    },
  });
}
