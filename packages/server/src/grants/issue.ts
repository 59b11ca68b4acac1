// Makes tokens for a session: the signed access token (RFC 9068) and the computed refresh token. Everything the access
// token says of the user was read in one statement; that statement's time is its `iat`.
import { randomBytes } from 'node:crypto';
import { type AccessTokenClaims, checkCustomClaims, signAccessToken } from '@latchkey/core';
import { AuthError } from '../errors.ts';
import type { RefreshKeyring } from '../keys/refresh_keyring.ts';
import { makeRefreshToken } from '../keys/refresh_token.ts';
import type { SigningKeyring } from '../keys/signing_keyring.ts';
import { maxSigningDelay } from '../rules/lifetimes.ts';
import { permissionsOf, scopeFor } from '../rules/permissions.ts';
import type { TokenSubject } from '../storage/sessions.ts';
import type { RoleTable } from './role_table.ts';

/** What a login or refresh answers (RFC 6749 §5.1 and ours). */
export interface TokenPair {
  readonly accessToken: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly refreshToken: string;
  /** Seconds until the session's absolute end. */
  readonly refreshExpiresIn: number;
  readonly sessionId: string;
}

/** The user as the application's custom claims function sees it. */
export interface ClaimsUser {
  readonly id: string;
  readonly username: string;
  readonly roles: readonly string[];
}

export interface TokenIssuer {
  /** Throws AuthError `unavailable` when the subject was read too long ago, or claims cannot be made. */
  issue(subject: TokenSubject, audience?: string): Promise<TokenPair>;
}

export interface TokenIssuerOptions {
  readonly issuer: string;
  /** Seconds. */
  readonly accessTokenLife: number;
  readonly signingKeys: SigningKeyring;
  readonly refreshKeys: RefreshKeyring;
  readonly roleTable: (rver: number) => Promise<RoleTable>;
  readonly customClaims: ((user: ClaimsUser) => Record<string, unknown>) | undefined;
  /** Milliseconds since 1970: this process's clock, which signs. */
  readonly now: () => number;
}

export function createTokenIssuer(options: TokenIssuerOptions): TokenIssuer {
  function custom(subject: TokenSubject): Record<string, unknown> {
    if (options.customClaims === undefined) return {};
    const claims = options.customClaims({
      id: subject.userId,
      username: subject.username,
      roles: subject.roles,
    });
    const faults = checkCustomClaims(claims);
    if (faults.length > 0) throw new TypeError(`customClaims: ${faults.join('; ')}`);
    return claims;
  }

  async function claimsFor(subject: TokenSubject, audience: string): Promise<AccessTokenClaims> {
    const table = await options.roleTable(subject.rver);
    const issuedAt = Math.floor(subject.readAt / 1000);
    return {
      ...custom(subject),
      iss: options.issuer,
      sub: subject.userId,
      aud: audience,
      exp: issuedAt + options.accessTokenLife,
      iat: issuedAt,
      jti: randomBytes(16).toString('base64url'),
      sid: subject.sessionId,
      client_id: subject.clientId,
      auth_time: Math.floor(subject.authTime / 1000),
      preferred_username: subject.username,
      roles: [...subject.roles],
      scope: scopeFor(permissionsOf(subject.roles, table.roles), audience === options.issuer),
      ver: subject.ver,
      // The table may be a version ahead of the subject: never claim to be newer than what was read.
      rver: Math.min(subject.rver, table.rver),
    };
  }

  return {
    async issue(subject, audience = subject.audience) {
      const claims = await claimsFor(subject, audience);
      if (options.now() - subject.readAt > maxSigningDelay) {
        throw new AuthError('unavailable', 'The server was too slow to issue a token: try again.', {
          retryAfter: 1,
        });
      }
      const refresh = { sessionId: subject.sessionId, generation: subject.generation };
      return {
        accessToken: signAccessToken(claims, options.signingKeys.current),
        expiresIn: options.accessTokenLife,
        refreshToken: makeRefreshToken(refresh, options.refreshKeys.current),
        refreshExpiresIn: Math.max(0, Math.floor((subject.expiresAt - subject.readAt) / 1000)),
        sessionId: subject.sessionId,
      };
    },
  };
}
