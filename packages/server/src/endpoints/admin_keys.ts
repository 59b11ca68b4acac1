// /auth/admin/keys: the signing keys. Private parts never leave the server.
import { AuthError } from '../errors.ts';
import { keyAnswer, keySchema } from '../http/admin_answers.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed, pageOf } from '../http/schemas.ts';
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
    query: closed({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })) }),
    responses: { 200: pageOf(keySchema) },
    async handle() {
      const keys = await signingKeys.list();
      return { items: order.flatMap((state) => keys.filter((key) => key.state === state)).map(keyAnswer) };
    },
  });
}

/** Seconds until the next key may sign. */
async function wait({ signingKeys, now }: AdminKeysOptions): Promise<number> {
  const next = (await signingKeys.list()).find((key) => key.state === 'next');
  return Math.max(1, Math.ceil(((next?.activatesAt ?? 0) - now()) / 1000));
}

function rotate(options: AdminKeysOptions): AnyEndpoint {
  const { signingKeys } = options;
  return endpoint({
    method: 'POST',
    path: '/auth/admin/keys/rotate',
    access: { permission: 'latchkey:keys:write' },
    tag: 'Keys',
    summary:
      'Let the next key sign now. 409 (reason too_early, Retry-After) while some cache may not have it; `immediately` does it all the same',
    optionalBody: true,
    body: Type.Union([closed({ immediately: Type.Optional(Type.Boolean()) }), Type.Null()]),
    responses: { 200: keySchema },
    async handle({ body, origin }) {
      const before = signingKeys.current.kid;
      await signingKeys.rotate(origin, true, body?.immediately === true);
      const current = (await signingKeys.list()).find((key) => key.kid === signingKeys.current.kid);
      if (current === undefined || current.kid === before) {
        throw new AuthError('conflict', 'The next key has not been published for long enough.', {
          reason: 'too_early',
          retryAfter: await wait(options),
        });
      }
      return keyAnswer(current);
    },
  });
}

function remove({ signingKeys }: AdminKeysOptions): AnyEndpoint {
  return endpoint({
    method: 'DELETE',
    path: '/auth/admin/keys/:kid',
    access: { permission: 'latchkey:keys:write' },
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
