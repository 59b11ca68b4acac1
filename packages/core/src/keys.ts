// Key records: a key, its id, and the one algorithm it may be used with (RFC 8725 §3.1). Everything that signs or verifies
// takes such a record and nothing else, so no path leads from a text, a certificate or somebody's JSON straight to a key.
//
// Rules: records are made here only, after the key was found fit for its algorithm; a hand-made look-alike is refused.
import { createSecretKey, KeyObject } from 'node:crypto';
import { decodeBase64url } from './base64url.ts';
import { type Algorithm, type AlgorithmEntry, findAlgorithm } from './jwa.ts';

/** A public key (for HS256: the secret) that verifies with exactly one algorithm. */
export interface VerificationKey {
  readonly kid: string;
  readonly alg: Algorithm;
  readonly key: KeyObject;
}

/** A private key (for HS256: the secret) that signs with exactly one algorithm. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: Algorithm;
  readonly key: KeyObject;
}

/** Verification keys by their `kid`. */
export type KeySet = ReadonlyMap<string, VerificationKey>;

const verificationEntries = new WeakMap<VerificationKey, AlgorithmEntry>();
const signingEntries = new WeakMap<SigningKey, AlgorithmEntry>();

/** The algorithm of a record made here. TypeError for anything else. */
export function verifierOf(key: VerificationKey): AlgorithmEntry {
  const entry = verificationEntries.get(key);
  if (entry === undefined) throw new TypeError('not a verification key: make it with parseJwkSet or hmacKey');
  return entry;
}

/** The algorithm of a record made here. TypeError for anything else. */
export function signerOf(key: SigningKey): AlgorithmEntry {
  const entry = signingEntries.get(key);
  if (entry === undefined) {
    throw new TypeError('not a signing key: make it with generateKeyPair, importPrivateKey or hmacKey');
  }
  return entry;
}

function record(key: KeyObject, alg: Algorithm, kid: string): [VerificationKey, AlgorithmEntry] {
  const entry = findAlgorithm(alg);
  if (entry === undefined) throw new TypeError('unknown algorithm');
  if (typeof kid !== 'string' || kid.length === 0 || kid.length > 256) {
    throw new TypeError('kid must be a string of 1 to 256 characters');
  }
  const fault = entry.faultOf(key);
  if (fault !== undefined) throw new TypeError(`${alg} ${fault}`);
  return [Object.freeze({ kid, alg, key }), entry];
}

/** TypeError where the key is not public or does not fit `alg`. */
export function verificationKey(key: KeyObject, alg: Algorithm, kid: string): VerificationKey {
  if (!(key instanceof KeyObject) || key.type !== 'public') throw new TypeError('needs a public KeyObject');
  const [made, entry] = record(key, alg, kid);
  verificationEntries.set(made, entry);
  return made;
}

/** TypeError where the key is not private or does not fit `alg`. */
export function signingKey(key: KeyObject, alg: Algorithm, kid: string): SigningKey {
  if (!(key instanceof KeyObject) || key.type !== 'private') throw new TypeError('needs a private KeyObject');
  const [made, entry] = record(key, alg, kid);
  signingEntries.set(made, entry);
  return made;
}

/**
 * The only way to an HS256 key: from a secret KeyObject, or an `oct` JWK, of at least 256 bits (RFC 7518 §3.2). Never from a
 * string or bytes: those may be a password or a public key. TypeError otherwise. Cannot check that the bits are random.
 */
export function hmacKey(
  secret: KeyObject | { readonly kty: 'oct'; readonly k: string },
  kid: string,
): SigningKey & VerificationKey {
  const key = secret instanceof KeyObject ? secret : secretOfJwk(secret);
  if (key.type !== 'secret') throw new TypeError('needs a secret KeyObject');
  const [made, entry] = record(key, 'HS256', kid);
  verificationEntries.set(made, entry);
  signingEntries.set(made, entry);
  return made;
}

function secretOfJwk(jwk: unknown): KeyObject {
  const { kty, k, alg } = (jwk ?? {}) as { kty?: unknown; k?: unknown; alg?: unknown };
  const bytes = typeof k === 'string' ? decodeBase64url(k) : undefined;
  if (kty !== 'oct' || bytes === undefined || bytes.length === 0 || (alg !== undefined && alg !== 'HS256')) {
    throw new TypeError('needs a secret KeyObject or an oct JWK for HS256');
  }
  return createSecretKey(bytes);
}

/** A key set of records made before. TypeError where two share a `kid`. */
export function keySet(...keys: readonly VerificationKey[]): KeySet {
  const set = new Map<string, VerificationKey>();
  for (const key of keys) {
    verifierOf(key);
    if (set.has(key.kid)) throw new TypeError('two keys with one kid');
    set.set(key.kid, key);
  }
  return set;
}
