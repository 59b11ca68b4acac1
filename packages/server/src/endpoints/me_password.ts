// POST /auth/me/password: needs the current password, ends all other sessions, answers as login does.
import type { ChangePassword } from '../grants/new_password.ts';
import { checkBrowserCall, readCookie, refreshCookie } from '../http/cookies.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { closed, passwordField, tokenSchema } from '../http/schemas.ts';
import { tokenAnswer } from './tokens.ts';

export function changePasswordEndpoint(
  changePassword: ChangePassword,
  allowedOrigins: ReadonlySet<string>,
): AnyEndpoint {
  return endpoint({
    method: 'POST',
    path: '/auth/me/password',
    access: 'user',
    revokes: true,
    tag: 'Me',
    summary: 'Change my password; all my other sessions end',
    body: closed({ current_password: passwordField, new_password: passwordField }),
    responses: { 200: tokenSchema },
    async handle({ body, caller, origin, request, reply }) {
      const cookie = readCookie(request, refreshCookie) !== undefined;
      if (cookie) checkBrowserCall(request, allowedOrigins);
      const pair = await changePassword(
        {
          userId: caller.userId,
          sessionId: caller.sessionId,
          username: caller.username,
          currentPassword: body.current_password,
          newPassword: body.new_password,
        },
        origin,
      );
      return tokenAnswer(pair, { cookie }, reply);
    },
  });
}
