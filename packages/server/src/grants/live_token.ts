// Access tokens of our own, judged by the live state instead of the marks: what this server does with its own tokens, and
// what introspection answers (RFC 7662).
import {
  type AccessTokenClaims,
  checkAccessTokenClaims,
  type KeySet,
  parseAccessToken,
  TokenError,
  verifyAccessTokenSignature,
} from '@latchkey/core';
import type { Queries } from '../storage/database.ts';
import { readSubject, type TokenSubject } from '../storage/sessions.ts';
import { isMarked, isStaleByRole } from '../storage/signals.ts';

/** The session's subject while the token's session, user and `jti` live. Not checked: that its roles are still those. */
export async function liveSubject(
  queries: Queries,
  claims: AccessTokenClaims,
  sessionIdle: number,
): Promise<TokenSubject | undefined> {
  const subject = await readSubject(queries, claims.sid, sessionIdle);
  const dead = subject === undefined || subject.userId !== claims.sub || claims.ver < subject.revokedBelow;
  return dead || (await isMarked(queries, 'jti', claims.jti)) ? undefined : subject;
}

/** Whether the token says what is no longer so: the user's roles or name changed, or a role lost a permission. */
export async function isStale(
  queries: Queries,
  claims: AccessTokenClaims,
  subject: TokenSubject,
): Promise<boolean> {
  return claims.ver < subject.ver || (await isStaleByRole(queries, claims.roles, claims.rver));
}

export interface OwnTokenOptions {
  readonly keys: KeySet;
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Seconds after its end in which the token still counts. */
  readonly clockTolerance: number;
}

/** The claims of a token that we signed and that has not expired, for whatever audience; undefined for anything else. */
export function readOwnToken(token: string, options: OwnTokenOptions): AccessTokenClaims | undefined {
  try {
    const parsed = parseAccessToken(token);
    const key = options.keys.get(parsed.header.kid);
    if (key === undefined) return undefined;
    const { claims } = verifyAccessTokenSignature(parsed, key);
    checkAccessTokenClaims(claims, {
      issuer: options.issuer,
      audience: claims.aud,
      now: options.now,
      clockTolerance: options.clockTolerance,
      maxTokenLife: 3600,
    });
    return claims;
  } catch (error) {
    if (error instanceof TokenError) return undefined;
    throw error;
  }
}
