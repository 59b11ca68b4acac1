// Whether a token would be accepted, check by check, with the same code that gateways and services run. Never asks the
// network: keys come from a file or from the auth server of this machine, over its socket, and the token goes nowhere.

import type { AccessTokenClaims } from '@latchkey/core';
import {
  checkAccessTokenClaims,
  type JwkSet,
  parseJwkSet,
  supportedAlgorithms,
  TokenError,
  verifyAccessToken,
  verifyJws,
} from '@latchkey/core';

export interface Judgement {
  readonly signature: 'valid' | 'invalid' | 'unchecked';
  /** Whether a verifier with these keys and this expectation takes it; undefined when that cannot be known. */
  readonly accepted: boolean | undefined;
  /** What speaks against it, in words. */
  readonly problems: readonly string[];
  /** What was not looked at. */
  readonly unchecked: readonly string[];
}

export interface Expectation {
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  /** Milliseconds. */
  readonly now: number;
}

const words: Readonly<Partial<Record<string, string>>> = {
  unknown_key: 'no key of this set has the kid it names',
  invalid_signature: 'the signature does not fit: it was changed, or signed by somebody else',
  unsupported_algorithm: 'its algorithm is not the one of the key, or not known here',
  wrong_type: 'it is not an access token (typ is not at+jwt)',
  wrong_issuer: 'another issuer than expected',
  wrong_audience: 'meant for another audience',
  expired: 'expired',
  not_yet_valid: 'not valid yet (nbf)',
  issued_in_future: 'issued in the future: one of the two clocks is wrong',
  life_too_long: 'lives longer than verifiers accept',
};

export function judgeToken(
  token: string,
  claims: Readonly<Record<string, unknown>>,
  jwks: unknown,
  expected: Expectation,
): Judgement {
  const unchecked = ['revocation: only a verifier that listens to the auth server knows'];
  const expectation = {
    issuer: expected.issuer ?? String(claims['iss'] ?? ''),
    audience: expected.audience ?? firstAudience(claims['aud']),
    now: expected.now,
  };
  if (expected.issuer === undefined) unchecked.push('whether the issuer is the right one (--issuer)');
  if (expected.audience === undefined) unchecked.push('whether it is meant for you (--audience)');
  if (jwks === undefined) {
    unchecked.unshift(
      'the signature: there are no keys here (--jwks FILE, or run where the auth server runs)',
    );
    const problem = faultOf(() => checkAccessTokenClaims(claims as AccessTokenClaims, expectation));
    return {
      signature: 'unchecked',
      accepted: problem === undefined ? undefined : false,
      problems: list(problem),
      unchecked,
    };
  }
  const keys = parseJwkSet(jwks);
  const signatureProblem = faultOf(() =>
    verifyJws(token, jwks as JwkSet, { algorithms: supportedAlgorithms() }),
  );
  const problem = signatureProblem ?? faultOf(() => verifyAccessToken(token, keys, expectation));
  return {
    signature: signatureProblem === undefined ? 'valid' : 'invalid',
    accepted: problem === undefined,
    problems: list(problem),
    unchecked,
  };
}

function faultOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof TokenError) return words[error.code] ?? error.message;
    if (error instanceof TypeError) return 'its claims are not those of an access token';
    throw error;
  }
}

function firstAudience(audience: unknown): string {
  return String(Array.isArray(audience) ? audience[0] : (audience ?? ''));
}

function list(problem: string | undefined): string[] {
  return problem === undefined ? [] : [problem];
}
