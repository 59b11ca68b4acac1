// POST /auth/login: a username and a password become a session and its first tokens.

import type { PasswordGrant } from '../grants/password.ts';
import type { Authenticator } from '../http/caller.ts';
import { checkBrowserCall, deviceCookie, readCookie } from '../http/cookies.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed, loginField, passwordField, tokenSchema } from '../http/schemas.ts';
import type { Audiences } from './audiences.ts';
import { tokenAnswer } from './tokens.ts';

export interface LoginOptions {
  readonly signIn: PasswordGrant;
  /** Throws while no more passwords can be taken. */
  readonly requireRoom: () => void;
  readonly authenticator: Authenticator;
  readonly audiences: Audiences;
  readonly allowedOrigins: ReadonlySet<string>;
}

export function loginEndpoint(options: LoginOptions): AnyEndpoint {
  return endpoint({
    method: 'POST',
    path: '/auth/login',
    access: 'public',
    tag: 'Sign-in',
    summary: 'Sign in with username (or e-mail address) and password',
    body: closed({
      username: loginField,
      password: passwordField,
      cookie: Type.Optional(
        Type.Boolean({ description: 'browsers: the refresh token goes into an HttpOnly cookie' }),
      ),
      client_id: Type.Optional(Type.String({ maxLength: 64 })),
      audience: Type.Optional(Type.String({ maxLength: 512 })),
      device: Type.Optional(
        Type.String({ maxLength: 128, description: 'from an earlier login on this device' }),
      ),
    }),
    admit: options.requireRoom,
    responses: { 200: tokenSchema },
    async handle({ body, origin, request, reply }) {
      const cookie = body.cookie === true;
      if (cookie) checkBrowserCall(request, options.allowedOrigins);
      const client = await options.authenticator.client(request);
      const clientId = options.audiences.clientFor(body.client_id, client);
      const audience = body.audience ?? options.audiences.defaultFor(client);
      await options.audiences.check(clientId, audience);
      const signedIn = await options.signIn(
        {
          username: body.username,
          password: body.password,
          clientId,
          audience,
          device: body.device ?? readCookie(request, deviceCookie),
          userAgent: request.headers['user-agent'] ?? '',
        },
        origin,
      );
      return tokenAnswer(signedIn, { cookie, device: signedIn.device }, reply);
    },
  });
}
