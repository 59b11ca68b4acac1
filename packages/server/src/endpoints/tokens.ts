// How a pair of tokens becomes an answer: in the body, or for browsers the refresh token in its cookie.
import type { FastifyReply } from 'fastify';
import type { TokenPair } from '../grants/issue.ts';
import { deviceCookie, refreshCookie, setCookie } from '../http/cookies.ts';

export interface TokenAnswerOptions {
  /** The refresh token goes into the cookie instead of the body. */
  readonly cookie: boolean;
  /** False when the caller keeps the refresh token it has: then no cookie is set. @default true */
  readonly rotated?: boolean;
  readonly device?: string;
}

/** Seconds: a device stays known for a year after its last sign-in. */
const deviceAge = 365 * 86_400;

export function tokenAnswer(pair: TokenPair, options: TokenAnswerOptions, reply: FastifyReply) {
  const answer = {
    access_token: pair.accessToken,
    token_type: 'Bearer' as const,
    expires_in: pair.expiresIn,
    refresh_expires_in: pair.refreshExpiresIn,
    session_id: pair.sessionId,
    ...(options.rotated === undefined ? {} : { rotated: options.rotated }),
  };
  if (!options.cookie) {
    return {
      ...answer,
      refresh_token: pair.refreshToken,
      ...(options.device === undefined ? {} : { device: options.device }),
    };
  }
  if (options.rotated !== false) setCookie(reply, refreshCookie, pair.refreshToken, pair.refreshExpiresIn);
  if (options.device !== undefined) setCookie(reply, deviceCookie, options.device, deviceAge);
  return answer;
}
