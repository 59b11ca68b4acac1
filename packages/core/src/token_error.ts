// The vocabulary of refusals. A refused token is a `TokenError` with a stable `code` for programs and logs, and a
// `reason` that a client may hear. The code says which check failed; the reason never does for a token that may be
// forged: every fault found before or in the signature check is `malformed` or `invalid`.
//
// Rules: no message, property or stack ever holds a token, a key, or the value of a claim. A caller's own mistake (a wrong
// option) is a TypeError, not a TokenError. This module imports nothing.

/** Why a token was refused: stable, for programs, logs and metrics. Not for clients: those get {@link Reason}. */
export type TokenErrorCode =
  /** No token was presented. */
  | 'missing_token'
  /** Not a compact JWS in the one accepted form: size, segments, base64url, JSON, header parameters, kid. */
  | 'malformed'
  /** `alg` is unknown here, not allowed, or not the key's own. */
  | 'unsupported_algorithm'
  /** No key with this `kid`. The one code after which fetching newer keys can help. */
  | 'unknown_key'
  | 'invalid_signature'
  /** `typ` is not the expected one. */
  | 'wrong_type'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'missing_claim'
  /** A claim is of the wrong type, out of range, or contradicts another one. */
  | 'invalid_claim'
  | 'expired'
  /** `nbf` is ahead of our clock. */
  | 'not_yet_valid'
  /** `iat` is ahead of our clock. */
  | 'issued_in_future'
  /** `exp - iat` is more than the verifier accepts. */
  | 'life_too_long'
  /** A revocation mark hits the token. */
  | 'revoked'
  /** The user's roles changed since: refresh and retry. */
  | 'stale'
  /** This verifier has not heard from the authorization server for too long to vouch for the token. */
  | 'signals_stale'
  /** This verifier has never had keys and a snapshot, or cannot get what it needs. */
  | 'unavailable'
  /** The token is good, and does not carry the permission. */
  | 'insufficient_scope';

/** What may be told to whoever sent the token. */
export type Reason =
  | 'missing'
  | 'malformed'
  | 'invalid'
  | 'expired'
  | 'not_yet_valid'
  | 'revoked'
  | 'stale'
  | 'signals_stale'
  | 'unavailable'
  | 'insufficient_scope';

const reasons: Readonly<Record<TokenErrorCode, Reason>> = {
  missing_token: 'missing',
  malformed: 'malformed',
  unsupported_algorithm: 'invalid',
  unknown_key: 'invalid',
  invalid_signature: 'invalid',
  wrong_type: 'invalid',
  wrong_issuer: 'invalid',
  wrong_audience: 'invalid',
  missing_claim: 'invalid',
  invalid_claim: 'invalid',
  expired: 'expired',
  not_yet_valid: 'not_yet_valid',
  issued_in_future: 'not_yet_valid',
  life_too_long: 'invalid',
  revoked: 'revoked',
  stale: 'stale',
  signals_stale: 'signals_stale',
  unavailable: 'unavailable',
  insufficient_scope: 'insufficient_scope',
};

/**
 * A refused token. `code` is stable and for programs; `reason` is what a client may hear; `message` is for our own logs and
 * names the check, never a value.
 */
export class TokenError extends Error {
  readonly code: TokenErrorCode;
  readonly reason: Reason;

  constructor(code: TokenErrorCode, message: string) {
    super(message);
    this.name = 'TokenError';
    this.code = code;
    this.reason = reasons[code];
  }
}
