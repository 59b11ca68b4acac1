// The claims of an access token, and their shape: what can be said about them without key, clock or verifier. Checked before
// the signature when a token is read, and before signing when one is made.
//
// Rules: closed alphabets for everything that ends up in headers, look-ups and logs; whole numbers only; a claim of a wrong type
// refuses the token, it is never converted. Absent claims that only our own server writes are read as the value that grants nothing.

import { invalid, missing, requireAudience, requireTime } from './jwt.ts';
import { TokenError } from './token_error.ts';

/** Claims after RFC 9068 §2.2 and design. Times in seconds. Everything not named here is an application's custom claim. */
export interface AccessTokenClaims {
  readonly iss: string;
  /** The user's id. */
  readonly sub: string;
  readonly aud: string | readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly jti: string;
  /** The session's id. */
  readonly sid: string;
  readonly client_id: string;
  readonly auth_time: number;
  readonly preferred_username: string;
  readonly roles: readonly string[];
  /** Permissions for this audience, separated by single spaces. */
  readonly scope: string;
  /** The version of the user's claims. */
  readonly ver: number;
  /** The version of the role table. */
  readonly rver: number;
  readonly nbf?: number;
  readonly [custom: string]: unknown;
}

/** A string that may go into a header, a log line or a look-up as it is: visible ASCII. */
const visible = /^[\x21-\x7e]{1,255}$/;
/** Names of users, roles and permissions, after case folding. */
const roleName = /^[a-z0-9][a-z0-9._:-]{0,63}$/;
/** RFC 6749 §3.3: scope tokens, one space between them; or none at all. */
const scopeText = /^(?:[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*)?$/;
/** More than any user has, few enough to search one by one. */
const maxRoles = 256;
const maxUsername = 255;
/** Seconds: the most that any verifier may be set to accept. What we sign lives far shorter. */
const longestAcceptedLife = 86_400;

/** Throws TokenError `missing_claim` or `invalid_claim` where `claims` cannot be those of an access token. */
export function checkAccessTokenShape(claims: Readonly<Record<string, unknown>>): void {
  requireIdentifier(claims['iss'], 'iss');
  requireIdentifier(claims['sub'], 'sub');
  requireIdentifier(claims['jti'], 'jti');
  requireAudience(claims['aud']);
  requireTime(claims['exp'], 'exp');
  requireTime(claims['iat'], 'iat');
  requireLife(claims['exp'] as number, claims['iat'] as number);
  optional(claims['nbf'], 'nbf', requireTime);
  optional(claims['auth_time'], 'auth_time', requireTime);
  optional(claims['sid'], 'sid', requireIdentifier);
  optional(claims['client_id'], 'client_id', requireIdentifier);
  optional(claims['ver'], 'ver', requireTime);
  optional(claims['rver'], 'rver', requireTime);
  const { roles, scope, preferred_username: username } = claims;
  if (roles !== undefined) requireRoles(roles);
  if (scope !== undefined && (typeof scope !== 'string' || !scopeText.test(scope))) invalid('scope');
  if (username !== undefined && (typeof username !== 'string' || username.length > maxUsername)) {
    invalid('preferred_username');
  }
}

function requireLife(exp: number, iat: number): void {
  if (iat > exp) invalid('iat');
  if (exp - iat > longestAcceptedLife) {
    throw new TokenError('life_too_long', 'the token lives longer than a day');
  }
}

function optional(value: unknown, name: string, check: (value: unknown, name: string) => void): void {
  if (value !== undefined) check(value, name);
}

function requireIdentifier(value: unknown, name: string): void {
  if (value === undefined) missing(name);
  if (typeof value !== 'string' || !visible.test(value)) invalid(name);
}

function requireRoles(roles: unknown): void {
  if (!Array.isArray(roles) || roles.length > maxRoles) invalid('roles');
  for (let i = 0; i < roles.length; i++) {
    const role: unknown = roles[i];
    if (typeof role !== 'string' || !roleName.test(role) || roles.indexOf(role) !== i) invalid('roles');
  }
}

const absent: Readonly<Record<string, unknown>> = {
  sid: '',
  client_id: '',
  auth_time: 0,
  preferred_username: '',
  roles: [],
  scope: '',
  ver: 0,
  rver: 0,
};

/**
 * Fills in what an issuer other than ours may leave out, with the value that grants nothing and is hit by every mark, then
 * freezes the whole. So `roles` is always an array, and cached claims cannot be changed by whoever gets them.
 */
export function completeClaims(claims: Record<string, unknown>): AccessTokenClaims {
  for (const name in absent) {
    if (claims[name] === undefined) claims[name] = absent[name];
  }
  for (const name in claims) {
    const value = claims[name];
    if (typeof value === 'object' && value !== null) deepFreeze(value);
  }
  return Object.freeze(claims) as unknown as AccessTokenClaims;
}

/** As deep as strict JSON may nest, which is eight. */
function deepFreeze(value: object): void {
  const members = value as Readonly<Record<string, unknown>>;
  for (const name in members) {
    const member = members[name];
    if (typeof member === 'object' && member !== null) deepFreeze(member);
  }
  Object.freeze(value);
}
