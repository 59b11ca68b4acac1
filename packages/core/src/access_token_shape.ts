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

/** Parsed claims, before anything is known of them. */
export interface RawClaims {
  iss?: unknown;
  sub?: unknown;
  aud?: unknown;
  exp?: unknown;
  iat?: unknown;
  nbf?: unknown;
  jti?: unknown;
  sid?: unknown;
  client_id?: unknown;
  auth_time?: unknown;
  preferred_username?: unknown;
  roles?: unknown;
  scope?: unknown;
  ver?: unknown;
  rver?: unknown;
  [custom: string]: unknown;
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

/**
 * What was found good and comes again in nearly every token of an issuer. Comparing with the last one costs less than looking
 * at every character, and the cached claims of many tokens then share it. Starts with what no claim can be.
 */
const last: { iss: unknown; aud: unknown; client_id: unknown; scope: unknown; roles: readonly unknown[] } = {
  iss: Symbol(),
  aud: Symbol(),
  client_id: Symbol(),
  scope: Symbol(),
  roles: Object.freeze([]),
};

/** Throws TokenError where `claims` cannot be those of an access token. */
export function checkAccessTokenShape(claims: RawClaims): void {
  if (claims.iss !== last.iss) requireIdentifier(claims.iss, 'iss');
  requireIdentifier(claims.sub, 'sub');
  requireIdentifier(claims.jti, 'jti');
  requireAudience(claims.aud);
  requireTime(claims.exp, 'exp');
  requireTime(claims.iat, 'iat');
  requireLife(claims.exp as number, claims.iat as number);
  if (claims.nbf !== undefined) requireTime(claims.nbf, 'nbf');
  if (claims.auth_time !== undefined) requireTime(claims.auth_time, 'auth_time');
  if (claims.sid !== undefined) requireIdentifier(claims.sid, 'sid');
  if (claims.client_id !== undefined && claims.client_id !== last.client_id) {
    requireIdentifier(claims.client_id, 'client_id');
  }
  if (claims.ver !== undefined) requireTime(claims.ver, 'ver');
  if (claims.rver !== undefined) requireTime(claims.rver, 'rver');
  if (claims.roles !== undefined && !areLastRoles(claims.roles)) requireRoles(claims.roles);
  if (claims.scope !== undefined && claims.scope !== last.scope) requireScope(claims.scope);
  if (claims.preferred_username !== undefined) requireUsername(claims.preferred_username);
}

function requireLife(exp: number, iat: number): void {
  if (iat > exp) invalid('iat');
  if (exp - iat > longestAcceptedLife) {
    throw new TokenError('life_too_long', 'the token lives longer than a day');
  }
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

function requireScope(scope: unknown): void {
  if (typeof scope !== 'string' || !scopeText.test(scope)) invalid('scope');
}

function requireUsername(username: unknown): void {
  if (typeof username !== 'string' || username.length > maxUsername) invalid('preferred_username');
}

function areLastRoles(roles: unknown): boolean {
  if (!Array.isArray(roles) || roles.length !== last.roles.length) return false;
  for (let i = 0; i < roles.length; i++) if (roles[i] !== last.roles[i]) return false;
  return true;
}

/**
 * Fills in what an issuer other than ours may leave out, with the value that grants nothing and is hit by every mark, then
 * freezes the whole. So `roles` is always an array, and cached claims cannot be changed by whoever gets them. Only for claims
 * whose shape and signature were found good.
 */
export function completeClaims(claims: RawClaims): AccessTokenClaims {
  shareTexts(claims);
  claims.sid ??= '';
  claims.auth_time ??= 0;
  claims.preferred_username ??= '';
  claims.client_id ??= '';
  claims.scope ??= '';
  claims.roles ??= noRoles;
  claims.ver ??= 0;
  claims.rver ??= 0;
  for (const name in claims) {
    const value = claims[name];
    if (typeof value === 'object' && value !== null && value !== last.roles) deepFreeze(value);
  }
  return Object.freeze(claims) as unknown as AccessTokenClaims;
}

const noRoles: readonly string[] = Object.freeze([]);

/** Keeps what was there: a value that we filled in must not count as one that was found good. */
function shareTexts(claims: RawClaims): void {
  if (claims.iss === last.iss) claims.iss = last.iss;
  else last.iss = claims.iss;
  if (claims.client_id === last.client_id) claims.client_id = last.client_id;
  else if (claims.client_id !== undefined) last.client_id = claims.client_id;
  if (claims.scope === last.scope) claims.scope = last.scope;
  else if (claims.scope !== undefined) last.scope = claims.scope;
  if (claims.aud === last.aud) claims.aud = last.aud;
  else if (typeof claims.aud === 'string') last.aud = claims.aud;
  if (areLastRoles(claims.roles)) claims.roles = last.roles;
  else if (claims.roles !== undefined) last.roles = Object.freeze(claims.roles) as readonly unknown[];
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
