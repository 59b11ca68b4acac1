// JSON Web Keys (RFC 7517): reading a published set, writing our own, thumbprints (RFC 7638), generating and importing.
//
// Rules: a set that holds a private or symmetric key, one `kid` twice, a point off its curve or a weak RSA key is refused as
// a whole, because whoever published that is not to be trusted with the rest. Keys that are merely not for us (another `use`,
// an unknown `kty` or `alg`) are left out, as RFC 7517 §5 asks. Private members never pass through here in JSON.
import { Buffer } from 'node:buffer';
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { decodeBase64url } from './base64url.ts';
import { type Algorithm, type AlgorithmEntry, findAlgorithm, supportedAlgorithms } from './jwa.ts';
import {
  type KeySet,
  type SigningKey,
  signerOf,
  signingKey,
  type VerificationKey,
  verificationKey,
} from './keys.ts';

export type { KeySet, SigningKey, VerificationKey };

/** A public key as JSON. */
export interface Jwk {
  readonly kty: string;
  readonly kid?: string;
  readonly alg?: string;
  readonly use?: string;
  readonly key_ops?: readonly string[];
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
  readonly pub?: string;
}

export interface JwkSet {
  readonly keys: readonly Jwk[];
}

export type JwkErrorCode =
  | 'invalid_set'
  | 'too_many_keys'
  | 'private_key'
  | 'symmetric_key'
  | 'duplicate_kid'
  | 'invalid_key'
  | 'weak_key';

/** A JWK Set that is refused as a whole. The message never holds a key or any part of the set. */
export class JwkError extends TypeError {
  readonly code: JwkErrorCode;

  constructor(code: JwkErrorCode, message: string) {
    super(message);
    this.name = 'JwkError';
    this.code = code;
  }
}

export interface ParseJwkSetOptions {
  /**
   * Keep only keys for these. It also gives an algorithm to a key that names none, where exactly one of these fits its type;
   * without it such keys are left out.
   */
  readonly algorithms?: readonly Algorithm[];
}

/** More keys than any honest issuer publishes. */
const maxKeys = 100;

/** RFC 7518 §6, RFC 8037 §2, draft-ietf-cose-dilithium: what makes a key private. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv', 'seed'];

/** The public members by `kty`; for a thumbprint they stand in alphabetical order together with `kty` (RFC 7638 §3.2). */
const publicMembers: Readonly<Record<string, readonly string[]>> = {
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
  RSA: ['e', 'n'],
  AKP: ['alg', 'pub'],
};

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads a public JWK Set. Throws {@link JwkError} (see the rules at the top). A key without `kid` is filed under its
 * thumbprint. Certificates (`x5c`, `x5u`) are not looked at. Does not limit the size of what it is given.
 */
export function parseJwkSet(value: unknown, options?: ParseJwkSetOptions): KeySet {
  const keys = membersOf(value)?.['keys'];
  if (!Array.isArray(keys)) throw new JwkError('invalid_set', 'not a JWK Set');
  if (keys.length > maxKeys) throw new JwkError('too_many_keys', `a JWK Set of more than ${maxKeys} keys`);
  const kids = new Set<string>();
  const set = new Map<string, VerificationKey>();
  for (const candidate of keys) {
    const jwk = membersOf(candidate);
    if (jwk === undefined) throw new JwkError('invalid_set', 'not a JWK Set');
    refuseSecrets(jwk);
    const kid = kidOf(jwk);
    if (kid !== undefined && kids.has(kid)) throw new JwkError('duplicate_kid', 'two keys with one kid');
    if (kid !== undefined) kids.add(kid);
    const entry = isForSignatures(jwk) ? algorithmFor(jwk, options?.algorithms) : undefined;
    if (entry === undefined) continue;
    const key = importPublicJwk(jwk, entry, kid);
    if (kid === undefined && kids.has(key.kid)) throw new JwkError('duplicate_kid', 'two keys with one kid');
    kids.add(key.kid);
    set.set(key.kid, key);
  }
  return set;
}

function membersOf(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Members)
    : undefined;
}

function refuseSecrets(jwk: Members): void {
  if (jwk['kty'] === 'oct' || jwk['k'] !== undefined)
    throw new JwkError('symmetric_key', 'a symmetric key in a public set');
  for (const name of privateMembers) {
    if (jwk[name] !== undefined) throw new JwkError('private_key', 'a private key in a public set');
  }
}

function kidOf(jwk: Members): string | undefined {
  const kid = jwk['kid'];
  if (kid === undefined) return undefined;
  if (typeof kid !== 'string' || kid.length === 0 || kid.length > 256)
    throw new JwkError('invalid_key', 'a kid that cannot be');
  return kid;
}

/** RFC 7517 §4.2, §4.3. */
function isForSignatures(jwk: Members): boolean {
  const operations = jwk['key_ops'];
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return false;
  return jwk['use'] === undefined || jwk['use'] === 'sig';
}

/** The one algorithm this key is for, or undefined where it is not for us. */
function algorithmFor(jwk: Members, wanted: readonly Algorithm[] | undefined): AlgorithmEntry | undefined {
  if (jwk['alg'] !== undefined) {
    const entry = findAlgorithm(jwk['alg']);
    if (entry === undefined || !(wanted ?? supportedAlgorithms()).includes(entry.name)) return undefined;
    if (!fits(jwk, entry))
      throw new JwkError('invalid_key', 'a key whose alg and type contradict each other');
    return entry;
  }
  const fitting = (wanted ?? [])
    .map(findAlgorithm)
    .filter((entry) => entry !== undefined && fits(jwk, entry));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function fits(jwk: Members, entry: AlgorithmEntry): boolean {
  return jwk['kty'] === entry.kty && (entry.crv === undefined || jwk['crv'] === entry.crv);
}

function importPublicJwk(jwk: Members, entry: AlgorithmEntry, kid: string | undefined): VerificationKey {
  const members: Record<string, string> = { kty: entry.kty };
  for (const name of publicMembers[entry.kty] ?? []) {
    const text = name === 'alg' ? entry.name : jwk[name];
    if (typeof text !== 'string' || (name !== 'alg' && name !== 'crv' && !isKeyBytes(text, entry.kty))) {
      throw new JwkError('invalid_key', `a key without a proper ${name}`);
    }
    members[name] = text;
  }
  const key = publicKeyOf(members);
  const fault = entry.faultOf(key);
  if (fault !== undefined) throw new JwkError('weak_key', `${entry.name} ${fault}`);
  // OpenSSL also takes coordinates of another length; RFC 7518 §6.2.1.2 does not.
  for (const [name, text] of Object.entries(key.export({ format: 'jwk' }))) {
    if (members[name] !== undefined && members[name] !== text)
      throw new JwkError('invalid_key', `a key without a proper ${name}`);
  }
  return verificationKey(key, entry.name, kid ?? thumbprint(members as unknown as Jwk));
}

function isKeyBytes(text: string, kty: string): boolean {
  const bytes = decodeBase64url(text);
  // RFC 7518 §2: a number has no leading zero byte.
  return bytes !== undefined && bytes.length > 0 && bytes.length <= 4096 && (kty !== 'RSA' || bytes[0] !== 0);
}

function publicKeyOf(members: Readonly<Record<string, string>>): KeyObject {
  try {
    return createPublicKey({ key: members, format: 'jwk' });
  } catch {
    throw new JwkError(
      'invalid_key',
      'a key that cannot be: off its curve, or not understood by this runtime',
    );
  }
}

/** RFC 7638 with SHA-256: base64url of the hash over the required members in alphabetical order. TypeError for another `kty`. */
export function thumbprint(jwk: Jwk): string {
  const names = publicMembers[jwk.kty];
  if (names === undefined) throw new TypeError('no thumbprint for this kty');
  const required: Record<string, unknown> = {};
  for (const name of [...names, 'kty'].sort()) {
    const text = jwk[name as keyof Jwk];
    if (typeof text !== 'string') throw new TypeError(`a key without ${name}`);
    required[name] = text;
  }
  return createHash('sha256').update(JSON.stringify(required)).digest('base64url');
}

/**
 * A new key for `alg` and what may be published of it (`kid`, the RFC 7638 thumbprint; `alg`; `use: 'sig'`). RSA keys get
 * 3072 bits. TypeError where this runtime cannot make one, and for HS256: see `hmacKey`. RSA takes up to a second of the loop.
 */
export function generateKeyPair(alg: Algorithm): { signingKey: SigningKey; publicJwk: Jwk } {
  const generate = findAlgorithm(alg)?.generate;
  if (generate === undefined) throw new TypeError('no key pair can be made for this algorithm');
  const { privateKey } = pairOf(generate);
  const made = signingKey(privateKey, alg, thumbprint(jwkMembers(privateKey, alg)));
  return { signingKey: made, publicJwk: exportPublicJwk(made) };
}

function pairOf(generate: () => { privateKey: KeyObject }): { privateKey: KeyObject } {
  try {
    return generate();
  } catch {
    throw new TypeError('this runtime cannot make a key for this algorithm');
  }
}

/** A private key from PKCS#8 DER; `kid` defaults to its thumbprint. TypeError where it is none, or not fit for `alg`. */
export function importPrivateKey(pkcs8: Uint8Array, alg: Algorithm, kid?: string): SigningKey {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  } catch {
    throw new TypeError('not a private key in PKCS#8 DER');
  }
  return signingKey(key, alg, kid ?? thumbprint(jwkMembers(key, alg)));
}

/** PKCS#8 DER of the private key. Encrypt it before it goes anywhere. TypeError for HS256. */
export function exportPrivateKey(key: SigningKey): Buffer {
  if (signerOf(key).kty === 'oct') throw new TypeError('an HMAC key has no PKCS#8 form');
  return key.key.export({ format: 'der', type: 'pkcs8' });
}

/** What may be published of a key: public members, `kid`, `alg`, `use: 'sig'`. TypeError for HS256. */
export function exportPublicJwk(key: SigningKey | VerificationKey): Jwk {
  return { ...jwkMembers(key.key, key.alg), kid: key.kid, alg: key.alg, use: 'sig' };
}

/** Copies by name, so that no private member can come along. */
function jwkMembers(key: KeyObject, alg: Algorithm): Jwk {
  const entry = findAlgorithm(alg);
  const names = publicMembers[entry?.kty ?? ''];
  if (entry === undefined || names === undefined) throw new TypeError('not a key with a public half');
  const exported = publicHalf(key).export({ format: 'jwk' }) as Members;
  const members: Record<string, string> = { kty: entry.kty };
  for (const name of names) members[name] = name === 'alg' ? entry.name : String(exported[name]);
  return members as unknown as Jwk;
}

function publicHalf(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key;
}

/** The key that verifies what `key` signs. TypeError for a record that was not made here. */
export function verificationKeyOf(key: SigningKey): VerificationKey {
  if (signerOf(key).kty === 'oct') return key;
  return verificationKey(publicHalf(key.key), key.alg, key.kid);
}
