// POST /auth/token: the refresh (RFC 6749 §6). The refresh token comes in the form, or for browsers in its cookie; both
// at once are refused. A refused refresh never touches a cookie: the loser of a race must not sign the winner out.

import { AuthError } from '../errors.ts';
import type { RefreshGrant } from '../grants/refresh_token.ts';
import type { Authenticator } from '../http/caller.ts';
import { checkBrowserCall, readCookie, refreshCookie } from '../http/cookies.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { tokenSchema } from '../http/schemas.ts';
import type { Audiences } from './audiences.ts';
import { tokenAnswer } from './tokens.ts';

export interface TokenOptions {
  readonly refresh: RefreshGrant;
  readonly authenticator: Authenticator;
  readonly audiences: Audiences;
  readonly allowedOrigins: ReadonlySet<string>;
}

/** 16–255 visible characters. */
const idempotencyKeyPattern = /^[\x21-\x7e]{16,255}$/;

function idempotencyKeyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !idempotencyKeyPattern.test(header)) {
    throw new AuthError('invalid_request', 'Idempotency-Key must be 16 to 255 visible characters.');
  }
  return header;
}

export function tokenEndpoint(options: TokenOptions): AnyEndpoint {
  return endpoint({
    method: 'POST',
    path: '/auth/token',
    access: 'public',
    tag: 'Sign-in',
    summary: 'Refresh: a new access token and, when it is time, the next refresh token',
    bodyType: 'form',
    cookie: true,
    headers: {
      'Idempotency-Key': '16 to 255 visible characters: a retry with the same one gets the same successor',
    },
    ignoresUnknown: true,
    body: Type.Object({
      grant_type: Type.Optional(Type.String()),
      refresh_token: Type.Optional(Type.String({ maxLength: 256 })),
      client_id: Type.Optional(Type.String({ maxLength: 64 })),
      audience: Type.Optional(Type.String({ maxLength: 512 })),
    }),
    responses: { 200: tokenSchema },
    async handle({ body, origin, request, reply }) {
      if (body.grant_type === undefined) throw new AuthError('invalid_request', 'grant_type is missing.');
      if (body.grant_type !== 'refresh_token') {
        throw new AuthError('unsupported_grant_type', 'The only grant here is refresh_token.');
      }
      const fromCookie = readCookie(request, refreshCookie);
      if (fromCookie !== undefined && body.refresh_token !== undefined) {
        throw new AuthError(
          'invalid_request',
          'The refresh token must come in the form or in the cookie, not in both.',
        );
      }
      const refreshToken = body.refresh_token ?? fromCookie;
      if (refreshToken === undefined) throw new AuthError('invalid_request', 'refresh_token is missing.');
      if (fromCookie !== undefined) checkBrowserCall(request, options.allowedOrigins);
      const refreshed = await options.refresh(
        {
          refreshToken,
          idempotencyKey: idempotencyKeyOf(request.headers['idempotency-key']),
          clientId: options.audiences.clientFor(body.client_id, await options.authenticator.client(request)),
          audience: body.audience,
        },
        origin,
      );
      return tokenAnswer(refreshed, { cookie: fromCookie !== undefined, rotated: refreshed.rotated }, reply);
    },
  });
}
