// What an access token says, read without checking it. The client trusts its server for that; a service never may.
// Use claims to decide what to show, never what to allow.

export interface Claims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | readonly string[];
  /** Seconds since 1970, like `iat` and `auth_time`. */
  readonly exp: number;
  readonly iat: number;
  readonly jti: string;
  readonly sid: string;
  readonly preferred_username: string;
  readonly roles: readonly string[];
  readonly scope: string;
  readonly [custom: string]: unknown;
}

/**
 * The claims of a compact JWT. Checks neither signature nor expiry nor audience: only that it can be read.
 * @throws TypeError when it cannot.
 */
export function decodeClaims(token: string): Claims {
  const payload = token.split('.')[1];
  if (payload === undefined) throw new TypeError('not a compact JWT');
  const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (c) =>
    c.charCodeAt(0),
  );
  const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  if (!isClaims(claims)) throw new TypeError('not an access token');
  return claims;
}

function isClaims(value: unknown): value is Claims {
  if (typeof value !== 'object' || value === null) return false;
  const { sub, exp, scope, roles } = value as Partial<Claims>;
  return (
    typeof sub === 'string' && typeof exp === 'number' && typeof scope === 'string' && Array.isArray(roles)
  );
}

export function scopeIncludes(claims: Claims, permission: string): boolean {
  return claims.scope.split(' ').includes(permission);
}
