// The access token: the RFC 9068 profile, stricter. One call (`verifyAccessToken`) and, for the verifier with its cache and its
// changing keys, the same in steps: header, key, signature and shape, then clock, issuer and audience.
//
// Rules: all that can be refused without a signature check is refused before it, the shape of the claims included. What does
// not depend on time or verifier is checked once and may be cached; what does is `checkAccessTokenClaims`, and is asked on every
// use. The high s of an ECDSA twin is refused: our tokens are signed with the low one, so a token has no second spelling.
import {
  type AccessTokenClaims,
  checkAccessTokenShape,
  completeClaims,
  type RawClaims,
} from './access_token_shape.ts';
import type { Algorithm } from './jwa.ts';
import {
  type CompactParts,
  checkSignature,
  type JoseHeader,
  parseJsonSegment,
  readHeader,
  rememberHeader,
  signText,
  splitCompact,
} from './jws.ts';
import { type ClaimsExpectation, checkClaims, checkExpectation, encodedHeader, isMediaType } from './jwt.ts';
import { type KeySet, type SigningKey, signerOf, type VerificationKey } from './keys.ts';
import { TokenError } from './token_error.ts';

export type { AccessTokenClaims };

/** RFC 9068 §2.1. */
const accessTokenType = 'at+jwt';

/** Seconds. */
const shortestTokenLife = 30;
const longestTokenLife = 3600;

export interface AccessTokenHeader extends JoseHeader {
  readonly alg: Algorithm;
  readonly kid: string;
  readonly typ: string;
}

/** A token whose form, signature and shape were found good. Says nothing about time, issuer, audience or revocation. */
export interface VerifiedToken {
  /** Frozen. */
  readonly header: AccessTokenHeader;
  /** Frozen, all the way down. */
  readonly claims: AccessTokenClaims;
}

const kidPattern = /^[A-Za-z0-9_-]{1,64}$/;

/** The last header that {@link checkProfile} has passed: header objects are shared between the tokens of one issuer. */
let passed: JoseHeader | undefined;

function checkProfile(header: JoseHeader): AccessTokenHeader {
  if (header === passed) return header as AccessTokenHeader;
  const { kid, typ, cty } = header;
  // RFC 8725 §3.10: a kid reaches look-ups and logs, so its alphabet is closed.
  if (kid === undefined || !kidPattern.test(kid))
    throw new TokenError('malformed', 'the kid is missing or not a proper one');
  if (typ === undefined || !isMediaType(typ, accessTokenType))
    throw new TokenError('wrong_type', 'typ is not at+jwt');
  // RFC 7519 §5.2: a nested token, which this is not.
  if (cty !== undefined) throw new TokenError('malformed', 'the header parameter cty is not accepted');
  passed = header;
  return header as AccessTokenHeader;
}

/** A token in the right form with an acceptable header, and nothing else known about it. */
export interface ParsedAccessToken extends CompactParts {
  readonly header: AccessTokenHeader;
}

/**
 * Size, form and header of a token, before any key is looked up. Throws TokenError, also where `token` is not a string.
 * Does NOT check anything else: the result says only which key to take.
 */
export function parseAccessToken(token: unknown): ParsedAccessToken {
  const parts = splitCompact(token);
  const header = checkProfile(readHeader(parts));
  return { token: parts.token, headerEnd: parts.headerEnd, payloadEnd: parts.payloadEnd, header };
}

/** As {@link parseAccessToken}, the header alone. */
export function readAccessTokenHeader(token: unknown): AccessTokenHeader {
  return parseAccessToken(token).header;
}

/**
 * Checks the claims' shape and the signature with the key that `parsed.header.kid` named. Throws TokenError. The result does
 * not depend on time and may be cached by the whole token. Does NOT check issuer, audience, expiry, revocation: see
 * {@link checkAccessTokenClaims}.
 */
export function verifyAccessTokenSignature(
  parsed: string | ParsedAccessToken,
  key: VerificationKey,
): VerifiedToken {
  const parts = typeof parsed === 'string' ? parseAccessToken(parsed) : parsed;
  const { token, header } = parts;
  if (header.kid !== key.kid) throw new TokenError('unknown_key', 'the key is not the one the token names');
  const claims = parseJsonSegment(token.slice(parts.headerEnd + 1, parts.payloadEnd), 'payload') as RawClaims;
  checkAccessTokenShape(claims);
  checkSignature(parts, header, key, true);
  rememberHeader(parts, header);
  return { header, claims: completeClaims(claims) };
}

/**
 * Everything that depends on who verifies and when: `iss`, `aud`, `exp`, `nbf`, `iat`, the token's life. To be asked on every use of
 * a token, cached or not. Throws TokenError. Does NOT check revocation or permissions.
 */
export function checkAccessTokenClaims(claims: AccessTokenClaims, expectation: ClaimsExpectation): void {
  checkClaims(claims, expectation);
}

/**
 * Verifies an access token with fixed keys: form, header, signature, claims. Throws TokenError for anything wrong with it, TypeError
 * for options that make no sense. Does NOT check revocation (that takes `createVerifier`) or permissions (`hasPermission`).
 */
export function verifyAccessToken(
  token: unknown,
  keys: KeySet,
  expectation: ClaimsExpectation,
): VerifiedToken {
  checkExpectation(expectation);
  const parsed = parseAccessToken(token);
  const key = keys.get(parsed.header.kid);
  if (key === undefined) throw new TokenError('unknown_key', 'no key with this kid');
  const verified = verifyAccessTokenSignature(parsed, key);
  checkAccessTokenClaims(verified.claims, expectation);
  return verified;
}

/**
 * Signs an access token: header `{ alg, kid, typ: 'at+jwt' }`. TypeError where a claim is missing or not of its shape, or where
 * the token would live less than 30 s or more than an hour. Custom claims: ask `checkCustomClaims` first.
 */
export function signAccessToken(claims: AccessTokenClaims, key: SigningKey): string {
  signerOf(key);
  if (!kidPattern.test(key.kid)) throw new TypeError("the key's kid must match [A-Za-z0-9_-]{1,64}");
  checkOwnShape(claims);
  const life = claims.exp - claims.iat;
  if (!(life >= shortestTokenLife && life <= longestTokenLife)) {
    throw new TypeError('an access token lives 30 seconds to 60 minutes');
  }
  return signText(encodedHeader(key, accessTokenType), JSON.stringify(claims), key);
}

/** The verifier's own rules, and nothing left out. */
function checkOwnShape(claims: AccessTokenClaims): void {
  try {
    checkAccessTokenShape(claims as RawClaims);
  } catch (error) {
    throw new TypeError(error instanceof TokenError ? error.message : 'not the claims of an access token');
  }
  if (
    claims.sid === undefined ||
    claims.client_id === undefined ||
    claims.auth_time === undefined ||
    claims.preferred_username === undefined ||
    claims.roles === undefined ||
    claims.scope === undefined ||
    claims.ver === undefined ||
    claims.rver === undefined
  ) {
    throw new TypeError('a claim of the access token is missing');
  }
}
