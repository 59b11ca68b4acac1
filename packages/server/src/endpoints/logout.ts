// POST /auth/logout and /auth/logout/all. Signing out works with whatever the client still has: the access token, the
// cookie, or a refresh token alone; and it always succeeds from the person's point of view.

import { AuthError } from '../errors.ts';
import type { SessionEnder } from '../grants/sessions.ts';
import type { Authenticator } from '../http/caller.ts';
import { checkBrowserCall, clearCookie, readCookie, refreshCookie } from '../http/cookies.ts';
import { type AnyEndpoint, endpoint, nothingDone } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed } from '../http/schemas.ts';
import type { RefreshKeyring } from '../keys/refresh_keyring.ts';
import { openRefreshToken } from '../keys/refresh_token.ts';

export interface LogoutOptions {
  readonly sessions: SessionEnder;
  readonly authenticator: Authenticator;
  readonly refreshKeys: RefreshKeyring;
  readonly allowedOrigins: ReadonlySet<string>;
}

const logoutBody = Type.Union([
  closed({ refresh_token: Type.Optional(Type.String({ maxLength: 256 })) }),
  Type.Null(),
]);

export function logoutEndpoints(options: LogoutOptions): AnyEndpoint[] {
  return [logout(options), logoutAll(options)];
}

function logout(options: LogoutOptions): AnyEndpoint {
  return endpoint({
    method: 'POST',
    path: '/auth/logout',
    access: 'public',
    revokes: true,
    tag: 'Sign-in',
    summary: 'End this session, by access token, cookie or refresh token',
    optionalBody: true,
    cookie: true,
    body: logoutBody,
    responses: { 204: null },
    async handle({ body, origin, request, reply }) {
      const fromCookie = readCookie(request, refreshCookie);
      if (fromCookie !== undefined) checkBrowserCall(request, options.allowedOrigins);
      if (fromCookie !== undefined && body?.refresh_token !== undefined) {
        throw new AuthError(
          'invalid_request',
          'The refresh token must come in the body or in the cookie, not in both.',
        );
      }
      const refreshToken = body?.refresh_token ?? fromCookie;
      // An access token that has expired must not keep anybody from signing out with the rest.
      const bearer = options.authenticator.optionalUser(request);
      const user = await (refreshToken === undefined ? bearer : bearer.catch(() => undefined));
      if (user === undefined && refreshToken === undefined) {
        throw new AuthError(
          'invalid_request',
          'Signing out needs an access token, the cookie or a refresh token.',
        );
      }
      if (user !== undefined)
        await options.sessions.end(user.sessionId, 'logout', { ...origin, actor: user.userId });
      const content =
        refreshToken === undefined ? undefined : openRefreshToken(refreshToken, options.refreshKeys.all);
      if (content !== undefined && content.sessionId !== user?.sessionId) {
        await options.sessions.end(content.sessionId, 'logout', origin);
      }
      if (fromCookie !== undefined) clearCookie(reply, refreshCookie);
      reply.code(204);
      // A stranger with a made-up token is signed out as well, and learns nothing of who enforces it.
      return user === undefined && content === undefined ? nothingDone : undefined;
    },
  });
}

function logoutAll(options: LogoutOptions): AnyEndpoint {
  return endpoint({
    method: 'POST',
    path: '/auth/logout/all',
    access: 'user',
    revokes: true,
    tag: 'Sign-in',
    summary: 'End every session of this user, on every device',
    responses: { 204: null },
    async handle({ caller, origin, request, reply }) {
      const fromCookie = readCookie(request, refreshCookie);
      if (fromCookie !== undefined) checkBrowserCall(request, options.allowedOrigins);
      await options.sessions.endAll(caller.userId, 'logout', origin);
      if (fromCookie !== undefined) clearCookie(reply, refreshCookie);
      reply.code(204);
    },
  });
}
