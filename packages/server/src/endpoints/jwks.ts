// GET /auth/.well-known/jwks.json (RFC 7517 §5). The same bytes for everybody: nothing of the request goes into it, so no
// cache on the way can be poisoned (threat K10). `max-age` matches the rotation plan.

import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import type { SigningKeyring } from '../keys/signing_keyring.ts';
import { jwksMaxAge } from '../rules/lifetimes.ts';

export function jwksEndpoint(signingKeys: SigningKeyring): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/.well-known/jwks.json',
    access: 'public',
    tag: 'Discovery',
    summary: 'The public keys that tokens are signed with',
    ignoresUnknown: true,
    responses: {
      200: Type.Unsafe<string>({
        type: 'object',
        properties: { keys: { type: 'array' } },
        required: ['keys'],
      }),
      304: null,
    },
    async handle({ request, reply }) {
      const { body, etag } = signingKeys.published;
      // Anybody's page may read it, so nobody's cookies belong to it.
      reply.removeHeader('access-control-allow-credentials');
      reply.headers({
        'cache-control': `public, max-age=${jwksMaxAge}`,
        etag,
        'cross-origin-resource-policy': 'cross-origin',
        'access-control-allow-origin': '*',
      });
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.type('application/json; charset=utf-8').serializer(String).send(body);
    },
  });
}
