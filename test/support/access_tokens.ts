// Tokens for tests of the verifier, good ones and forged ones. Forging uses node:crypto directly, so that a fault in our own signing
// cannot hide a fault in our own checking.
import { constants, createHmac, type KeyObject, sign } from 'node:crypto';
import {
  type AccessTokenClaims,
  type Algorithm,
  type ClaimsExpectation,
  exportPublicJwk,
  generateKeyPair,
  type KeySet,
  parseJwkSet,
  type SigningKey,
  TokenError,
  type TokenErrorCode,
  verifyAccessToken,
  verifyJws,
} from '@latchkey/core';

/** Milliseconds; all tests live at this moment. */
export const now = Date.UTC(2030, 4, 5, 6, 7, 8);
/** The same in seconds, as claims have it. */
export const seconds = now / 1000;
export const issuer = 'https://id.example.test/auth';
export const audience = 'https://api.example.test';
export const expectation: ClaimsExpectation = { issuer, audience, now };

export function claimsWith(overrides: Readonly<Record<string, unknown>> = {}): AccessTokenClaims {
  return {
    iss: issuer,
    sub: 'usr_4fKq0ZtB',
    aud: audience,
    exp: seconds + 300,
    iat: seconds - 10,
    jti: 'tok_9sVw1XhD',
    sid: 'ses_2mRj7YcN',
    client_id: 'latchkey',
    auth_time: seconds - 60,
    preferred_username: 'ada',
    roles: ['doctor'],
    scope: 'records:read records:write',
    ver: 4,
    rver: 2,
    ...overrides,
  };
}

/** The claims without some of them. */
export function claimsWithout(...names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claimsWith()).filter(([name]) => !names.includes(name)));
}

const made = new Map<Algorithm, SigningKey>();

/** The issuer's key for an algorithm, the same throughout a test file. */
export function keyFor(alg: Algorithm): SigningKey {
  let key = made.get(alg);
  if (key === undefined) {
    key = generateKeyPair(alg).signingKey;
    made.set(alg, key);
  }
  return key;
}

export function publicKeys(...keys: readonly SigningKey[]): KeySet {
  return parseJwkSet({ keys: keys.map(exportPublicJwk) });
}

type Segment = string | Uint8Array | Readonly<Record<string, unknown>>;

/** A segment from JSON text, bytes, or an object. */
export function segment(content: Segment): string {
  const bytes =
    typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content);
  return Buffer.from(bytes).toString('base64url');
}

/** The header an honest token of this key has. */
export function headerOf({ alg, kid }: SigningKey): Record<string, unknown> {
  return { alg, kid, typ: 'at+jwt' };
}

/** The signature of `input` that belongs to `alg`, made with node:crypto. With a low s, as ours have. */
export function rawSignature(input: string, alg: string, key: KeyObject): Buffer {
  const data = Buffer.from(input);
  if (alg.startsWith('HS'))
    return createHmac(`sha${alg.slice(2)}`, key)
      .update(data)
      .digest();
  if (alg === 'PS256') {
    return sign('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
  }
  if (!alg.startsWith('ES')) return sign(alg.startsWith('RS') ? 'sha256' : null, data, key);
  for (;;) {
    const signature = sign(`sha${alg.slice(2)}`, data, { key, dsaEncoding: 'ieee-p1363' });
    if (signature[signature.length / 2]! < 0x7f) return signature;
  }
}

/** A token with any header and payload, properly signed with `key`, whatever the header says. */
export function seal(header: Segment, payload: Segment, key: SigningKey = keyFor('ES256')): string {
  const input = `${segment(header)}.${segment(payload)}`;
  return `${input}.${rawSignature(input, key.alg, key.key).toString('base64url')}`;
}

/** An honest token of ours, with other claims. */
export function tokenWith(overrides: Readonly<Record<string, unknown>> = {}, key = keyFor('ES256')): string {
  return seal(headerOf(key), claimsWith(overrides), key);
}

/**
 * What the verifier says to a token: the code of its refusal, or 'accepted'. Anything thrown that is no TokenError goes on, and
 * fails the test.
 */
export function verdict(
  token: unknown,
  options: { keys?: KeySet; expect?: Partial<ClaimsExpectation> } = {},
): TokenErrorCode | 'accepted' {
  return judge(() =>
    verifyAccessToken(token, options.keys ?? publicKeys(keyFor('ES256')), {
      ...expectation,
      ...options.expect,
    }),
  );
}

/** What the general verifier says, which knows nothing of access tokens. */
export function jwsVerdict(
  token: unknown,
  keys: KeySet = publicKeys(keyFor('ES256')),
  algorithms: readonly Algorithm[] = ['ES256'],
): TokenErrorCode | 'accepted' {
  return judge(() => verifyJws(token, keys, { algorithms }));
}

export function judge(work: () => unknown): TokenErrorCode | 'accepted' {
  try {
    work();
    return 'accepted';
  } catch (error) {
    if (error instanceof TokenError) return error.code;
    throw error;
  }
}
