// POST /auth/revoke (RFC 7009): a registered client kills an access token, or the session of a refresh token. A token
// that is not valid is a success; unknown parameters and hints are ignored (§2.2, §2.2.1).
import type { TokenRevocation } from '../grants/revocation.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';

/** Longer than any token of ours; a refresh token has 76 characters. */
export const tokenField = Type.String({ minLength: 1, maxLength: 8192 });

export function revokeEndpoint(tokenRevocation: TokenRevocation): AnyEndpoint {
  return endpoint({
    method: 'POST',
    path: '/auth/revoke',
    access: 'client',
    revokes: true,
    tag: 'Tokens',
    summary: 'Revoke a token (RFC 7009)',
    bodyType: 'form',
    ignoresUnknown: true,
    body: Type.Object({ token: tokenField, token_type_hint: Type.Optional(Type.String()) }),
    responses: { 200: null },
    async handle({ body, caller, origin }) {
      await tokenRevocation.revoke(body.token, caller.client, origin);
    },
  });
}
