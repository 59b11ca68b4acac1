// JSON Web Tokens (RFC 7519) with the claims rules of RFC 8725: an expiry always, whole seconds only, an issuer and an audience
// that must match, an explicit type. Access tokens have a stricter profile of their own, in access_token.ts.
//
// Rules: no token without `exp` can be made or accepted. There is no clock here: `now` is an argument, in milliseconds.
import { encodeBase64url } from './base64url.ts';
import type { Algorithm } from './jwa.ts';
import type { JwkSet } from './jwk.ts';
import {
  checkSignature,
  findKey,
  type JoseHeader,
  keysOf,
  parseJsonSegment,
  readHeader,
  rememberHeader,
  signText,
  splitCompact,
} from './jws.ts';
import { type KeySet, type SigningKey, signerOf } from './keys.ts';
import { TokenError } from './token_error.ts';

/** Seconds. */
export const defaultMaxTokenLife = 3600;
export const defaultClockTolerance = 30;
export const maxClockTolerance = 60;

export interface JwtClaims {
  readonly iss?: string;
  readonly sub?: string;
  readonly aud?: string | readonly string[];
  /** Seconds since the epoch, as all times in claims. */
  readonly exp: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
  readonly [name: string]: unknown;
}

/** What the verifier expects of the claims, and when. */
export interface ClaimsExpectation {
  /** `iss` must be exactly this. */
  readonly issuer: string;
  /** `aud` must be, or hold, exactly this (or one of these). */
  readonly audience: string | readonly string[];
  /** Milliseconds since the epoch, as the clock of JavaScript gives. */
  readonly now: number;
  /** Seconds by which the issuer's clock may differ, 0 to 60. @default 30 */
  readonly clockTolerance?: number;
  /** Seconds that `exp` may lie after `iat`; for access tokens never more than a day. @default 3600 */
  readonly maxTokenLife?: number;
  /** Refuse a token that is meant for others as well. @default false */
  readonly singleAudience?: boolean;
}

export interface VerifyJwtOptions extends ClaimsExpectation {
  readonly algorithms: readonly Algorithm[];
  /**
   * The media type that `typ` must be, with or without `application/`, in any case (RFC 7515 §4.1.9). Not given: `JWT` or no `typ`
   * at all, so that a token of another kind is never taken for a plain one (RFC 8725 §3.11).
   */
  readonly typ?: string;
}

export interface SignJwtOptions {
  /** @default 'JWT' */
  readonly typ?: string;
  /** Seconds that `exp` may lie after `iat`. @default 3600 */
  readonly maxTokenLife?: number;
}

export interface VerifiedJwt {
  readonly header: JoseHeader;
  readonly claims: JwtClaims;
}

/**
 * Verifies a signed JWT: form, header, signature, then `typ`, `iss`, `aud`, `exp`, `nbf`, `iat`. Throws TokenError for anything
 * wrong with it. `iat` must be there unless `maxTokenLife` is Infinity.
 *
 * Does NOT check: what `sub`, `jti` and other claims mean, nor revocation.
 */
export function verifyJwt(token: unknown, jwkSet: JwkSet | KeySet, options: VerifyJwtOptions): VerifiedJwt {
  checkExpectation(options);
  const keys = keysOf(jwkSet, options.algorithms);
  const parts = splitCompact(token);
  const header = readHeader(parts);
  if (!options.algorithms.includes(header.alg)) {
    throw new TokenError('unsupported_algorithm', 'alg is not allowed here');
  }
  checkType(header.typ, options.typ);
  const claims = parseClaims(parts.token.slice(parts.headerEnd + 1, parts.payloadEnd));
  checkJwtShape(claims);
  checkSignature(parts, header, findKey(header, keys), false);
  rememberHeader(parts, header);
  checkClaims(claims, options);
  return { header, claims };
}

/** The payload as an object without a prototype. */
function parseClaims(segment: string): JwtClaims {
  return Object.setPrototypeOf(parseJsonSegment(segment, 'payload'), null) as JwtClaims;
}

function checkType(typ: string | undefined, wanted: string | undefined): void {
  if (wanted === undefined && typ === undefined) return;
  if (typ === undefined || !isMediaType(typ, wanted ?? 'JWT')) {
    throw new TokenError('wrong_type', 'typ is not the expected one');
  }
}

/** RFC 7515 §4.1.9: `application/` may be left out; media types have no case (RFC 2045 §5.1). */
export function isMediaType(typ: string, wanted: string): boolean {
  return bareMediaType(typ) === bareMediaType(wanted);
}

function bareMediaType(typ: string): string {
  // ASCII only: toLowerCase() would turn the Kelvin sign into a k.
  if (!/^[\x21-\x7e]+$/.test(typ)) return '\0';
  const lower = typ.toLowerCase();
  return lower.startsWith('application/') ? lower.slice('application/'.length) : lower;
}

function checkJwtShape(claims: JwtClaims): void {
  requireTime(claims.exp, 'exp');
  if (claims.nbf !== undefined) requireTime(claims.nbf, 'nbf');
  if (claims.iat !== undefined) requireTime(claims.iat, 'iat');
  for (const name of ['iss', 'sub', 'jti'] as const) {
    const value = claims[name];
    if (value !== undefined && (typeof value !== 'string' || value.length === 0)) invalid(name);
  }
  if (claims.aud !== undefined) requireAudience(claims.aud);
}

/** RFC 7519 §2 allows fractions; nobody needs them, and whole numbers cannot be misread. */
export function requireTime(value: unknown, name: string): void {
  if (value === undefined) missing(name);
  if (!Number.isSafeInteger(value) || (value as number) < 0) invalid(name);
}

/** RFC 7519 §4.1.3: a string or an array of strings. */
export function requireAudience(aud: unknown): void {
  if (aud === undefined) missing('aud');
  if (typeof aud === 'string' && aud.length > 0) return;
  if (
    !Array.isArray(aud) ||
    aud.length === 0 ||
    !aud.every((one) => typeof one === 'string' && one.length > 0)
  ) {
    invalid('aud');
  }
}

export function missing(name: string): never {
  throw new TokenError('missing_claim', `the claim ${name} is missing`);
}

export function invalid(name: string): never {
  throw new TokenError('invalid_claim', `the claim ${name} is not acceptable`);
}

/** Everything that depends on who verifies and when; the shape must have been checked. Throws TokenError. */
export function checkClaims(claims: JwtClaims, expectation: ClaimsExpectation): void {
  const { issuer, audience, now, singleAudience } = expectation;
  const tolerance = (expectation.clockTolerance ?? defaultClockTolerance) * 1000;
  const maxTokenLife = expectation.maxTokenLife ?? defaultMaxTokenLife;
  const { exp, iat, nbf, aud } = claims;
  if (claims.iss === undefined) missing('iss');
  if (claims.iss !== issuer) throw new TokenError('wrong_issuer', 'iss is not the expected one');
  if (aud === undefined) missing('aud');
  if (!isForUs(aud, audience, singleAudience ?? false))
    throw new TokenError('wrong_audience', 'aud is not the expected one');
  if (iat === undefined) {
    if (maxTokenLife !== Number.POSITIVE_INFINITY) missing('iat');
  } else {
    if (iat > exp) invalid('iat');
    if (exp - iat > maxTokenLife)
      throw new TokenError('life_too_long', 'the token lives longer than is accepted');
    if (iat * 1000 > now + tolerance) throw new TokenError('issued_in_future', 'iat is ahead of our clock');
  }
  if (nbf !== undefined && nbf * 1000 > now + tolerance)
    throw new TokenError('not_yet_valid', 'nbf is ahead of our clock');
  // RFC 7519 §4.1.4: on or after.
  if (now >= exp * 1000 + tolerance) throw new TokenError('expired', 'the token has expired');
}

function isForUs(
  aud: string | readonly string[],
  ours: string | readonly string[],
  single: boolean,
): boolean {
  if (typeof aud === 'string') return typeof ours === 'string' ? aud === ours : ours.includes(aud);
  if (single && aud.length > 1) return false;
  return aud.some((one) => (typeof ours === 'string' ? one === ours : ours.includes(one)));
}

/** TypeError for options that would make the check meaningless. */
export function checkExpectation({
  issuer,
  audience,
  now,
  clockTolerance,
  maxTokenLife,
}: ClaimsExpectation): void {
  if (typeof issuer !== 'string' || issuer.length === 0)
    throw new TypeError('issuer must be a non-empty string');
  if (typeof audience !== 'string' || audience.length === 0) checkAudiences(audience);
  if (!Number.isFinite(now)) throw new TypeError('now must be a number: milliseconds since the epoch');
  const tolerance = clockTolerance ?? defaultClockTolerance;
  if (!(tolerance >= 0 && tolerance <= maxClockTolerance))
    throw new TypeError('clockTolerance must be 0 to 60 seconds');
  if (!((maxTokenLife ?? defaultMaxTokenLife) > 0))
    throw new TypeError('maxTokenLife must be a number of seconds above 0');
}

function checkAudiences(audiences: unknown): void {
  if (
    !Array.isArray(audiences) ||
    audiences.length === 0 ||
    !audiences.every((one) => typeof one === 'string' && one !== '')
  ) {
    throw new TypeError('audience must be a non-empty string, or several');
  }
}

/** Encoded headers, by key and type: an issuer signs millions of tokens with a handful of headers. */
const encodedHeaders = new WeakMap<SigningKey, Map<string, string>>();

export function encodedHeader(key: SigningKey, typ: string): string {
  let headers = encodedHeaders.get(key);
  if (headers === undefined) {
    headers = new Map();
    encodedHeaders.set(key, headers);
  }
  let encoded = headers.get(typ);
  if (encoded === undefined) {
    encoded = encodeBase64url(JSON.stringify({ alg: key.alg, kid: key.kid, typ }));
    // Types come from code, not from users; the limit is for a caller who gets that wrong.
    if (headers.size < 64) headers.set(typ, encoded);
  }
  return encoded;
}

/**
 * Signs claims as a JWT with the header `{ alg, kid, typ }`. TypeError where `exp` is missing, a time is not in whole seconds,
 * the life is longer than `maxTokenLife`, or the token would exceed 8 KiB. Does NOT look at other claims.
 */
export function signJwt(claims: JwtClaims, key: SigningKey, options?: SignJwtOptions): string {
  signerOf(key);
  const typ = options?.typ ?? 'JWT';
  if (!/^[\x21-\x7e]+$/.test(typ)) throw new TypeError('typ must be a media type');
  checkLife(claims, options?.maxTokenLife ?? defaultMaxTokenLife);
  return signText(encodedHeader(key, typ), JSON.stringify(claims), key);
}

function checkLife({ exp, iat, nbf }: JwtClaims, maxTokenLife: number): void {
  if (!isTime(exp)) throw new TypeError('exp is required, in whole seconds');
  if (iat !== undefined && (!isTime(iat) || iat > exp))
    throw new TypeError('iat must be in whole seconds, not after exp');
  if (nbf !== undefined && !isTime(nbf)) throw new TypeError('nbf must be in whole seconds');
  if (iat === undefined && maxTokenLife !== Number.POSITIVE_INFINITY)
    throw new TypeError('iat is required, in whole seconds');
  if (iat !== undefined && exp - iat > maxTokenLife)
    throw new TypeError('the token would live longer than maxTokenLife');
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
