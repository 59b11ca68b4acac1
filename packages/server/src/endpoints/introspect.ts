// POST /auth/introspect (RFC 7662): whether an access token lives at this moment, for clients with the scope
// `introspection`. Everything else, refresh tokens and tokens for other audiences included, is `active: false` and no
// more (§2.2). Answers come from the live state: they are never cached.
import { AuthError } from '../errors.ts';
import type { TokenRevocation } from '../grants/revocation.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { tokenField } from './revoke.ts';

const inactiveSchema = Type.Object(
  { active: Type.Unsafe<false>({ const: false }) },
  { additionalProperties: false },
);

const activeSchema = Type.Object(
  {
    active: Type.Unsafe<true>({ const: true }),
    token_type: Type.Literal('Bearer'),
    iss: Type.String(),
    sub: Type.String(),
    aud: Type.Union([Type.String(), Type.Array(Type.String())]),
    exp: Type.Integer(),
    iat: Type.Integer(),
    jti: Type.String(),
    client_id: Type.String(),
    username: Type.String(),
    scope: Type.String(),
    roles: Type.Array(Type.String()),
    sid: Type.String(),
    auth_time: Type.Integer(),
  },
  { additionalProperties: false },
);

export function introspectEndpoint(tokenRevocation: TokenRevocation): AnyEndpoint {
  return endpoint({
    method: 'POST',
    path: '/auth/introspect',
    access: 'client',
    tag: 'Tokens',
    summary: 'Whether an access token lives, and what it says (RFC 7662)',
    bodyType: 'form',
    ignoresUnknown: true,
    body: Type.Object({ token: tokenField, token_type_hint: Type.Optional(Type.String()) }),
    responses: { 200: Type.Union([activeSchema, inactiveSchema]) },
    async handle({ body, caller }) {
      if (!caller.client.scopes.includes('introspection'))
        throw new AuthError('insufficient_scope', 'This client may not introspect.');
      const claims = await tokenRevocation.introspect(body.token, caller.client);
      if (claims === undefined) return { active: false };
      return {
        active: true,
        token_type: 'Bearer',
        iss: claims.iss,
        sub: claims.sub,
        aud: claims.aud,
        exp: claims.exp,
        iat: claims.iat,
        jti: claims.jti,
        client_id: claims.client_id,
        username: claims.preferred_username,
        scope: claims.scope,
        roles: claims.roles,
        sid: claims.sid,
        auth_time: claims.auth_time,
      };
    },
  });
}
