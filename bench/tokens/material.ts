// The tokens that everyone verifies: signed here with bare node:crypto, so that no contestant made its own input.
// An ES256 token has 655 bytes and the 14 claims of the access token profile (docs/architecture.md); the other
// algorithms differ by the length of their signature.
import {
  createHmac,
  generateKeyPairSync,
  generateKeySync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';

export type BenchAlgorithm = 'ES256' | 'RS256' | 'EdDSA' | 'HS256';

export const issuer = 'https://id.example.com/auth';
export const audience = 'https://id.example.com';
export const kid = 'wY2H9yN1mV0c5Zq8Xt4Rk7Pb3Ld6Fs1Gj0Ha2Qe5Ui';

export interface Keys {
  readonly alg: BenchAlgorithm;
  /** For HS256 both are the one secret. */
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function makeKeys(alg: BenchAlgorithm): Keys {
  if (alg === 'HS256') {
    const secret = generateKeySync('hmac', { length: 256 });
    return { alg, privateKey: secret, publicKey: secret };
  }
  if (alg === 'RS256') return { alg, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
  if (alg === 'EdDSA') return { alg, ...generateKeyPairSync('ed25519') };
  return { alg, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

export interface BenchClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  readonly exp: number;
  readonly iat: number;
  readonly jti: string;
  readonly sid: string;
  readonly client_id: string;
  readonly auth_time: number;
  readonly preferred_username: string;
  readonly roles: string[];
  readonly scope: string;
  readonly ver: number;
  readonly rver: number;
}

export function makeClaims(): BenchClaims {
  const iat = Math.floor(Date.now() / 1000);
  const id = (): string => randomBytes(16).toString('base64url');
  return {
    iss: issuer,
    sub: id(),
    aud: audience,
    exp: iat + 3000,
    iat,
    jti: id(),
    sid: id(),
    client_id: 'latchkey',
    auth_time: iat,
    preferred_username: 'anton',
    roles: ['doctor'],
    scope: 'records:read records:write',
    ver: 3,
    rver: 12,
  };
}

export function makeToken({ alg, privateKey }: Keys, claims: BenchClaims = makeClaims()): string {
  const header = { alg, kid, typ: 'at+jwt' };
  const input = `${segment(header)}.${segment(claims)}`;
  return `${input}.${signature(alg, privateKey, Buffer.from(input)).toString('base64url')}`;
}

function segment(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signature(alg: BenchAlgorithm, key: KeyObject, input: Buffer): Buffer {
  if (alg === 'HS256') return createHmac('sha256', key).update(input).digest();
  if (alg === 'EdDSA') return sign(null, input, key);
  return alg === 'ES256'
    ? lowS(sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' }))
    : sign('sha256', input, key);
}

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Of the two signatures s and n − s that both verify, Latchkey signs and accepts the lower one only; others take either. */
function lowS(signed: Buffer): Buffer {
  const s = BigInt(`0x${signed.toString('hex', 32)}`);
  if (s > order / 2n) signed.write((order - s).toString(16).padStart(64, '0'), 32, 'hex');
  return signed;
}

/** Tokens as bytes, as they come from a socket: each call of each contestant makes its own string of them. */
export function makeTokens(keys: Keys, count: number): readonly Buffer[] {
  return Array.from({ length: count }, () => Buffer.from(makeToken(keys), 'latin1'));
}

/** Every contestant starts its call with this, the fastest way from bytes to a fresh string. */
export function freshString(tokens: readonly Buffer[], i: number): string {
  return (tokens[i] as Buffer).toString('latin1');
}
