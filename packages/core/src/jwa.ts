// The one table of signature algorithms (RFC 7518 §3, RFC 8037, RFC 9864, and the IETF draft for ML-DSA in JOSE). Nothing
// outside this file decides anything by the name of an algorithm.
//
// Rules: a key belongs to exactly one algorithm; the fast call forms of node:crypto are used (a bare KeyObject, DER for
// ECDSA); an HMAC works only on a secret KeyObject, so a public key or a text can never become one by mistake.
import type { Buffer } from 'node:buffer';
import {
  constants,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { type Curve, curve, derToRaw, isLowS, isRawSignature, rawToDer } from './ecdsa.ts';

/** The algorithms of {@link supportedAlgorithms}; the ML-DSA ones need Node 24. */
export type Algorithm =
  | 'ES256'
  | 'ES384'
  | 'EdDSA'
  | 'Ed25519'
  | 'RS256'
  | 'PS256'
  | 'HS256'
  | 'ML-DSA-44'
  | 'ML-DSA-65';

export interface AlgorithmEntry {
  readonly name: Algorithm;
  /** The `kty` of its keys (RFC 7518 §6.1). */
  readonly kty: 'EC' | 'OKP' | 'RSA' | 'oct' | 'AKP';
  /** The `crv` of its keys, for EC and OKP. */
  readonly crv?: string;
  /** What is wrong with this key for this algorithm, or undefined. Does not ask whether it is private or public. */
  faultOf(key: KeyObject): string | undefined;
  /** Absent for HMAC. */
  generate?(): KeyPairKeyObjectResult;
  sign(data: Uint8Array, key: KeyObject): Buffer;
  verify(data: Uint8Array, signature: Uint8Array, key: KeyObject): boolean;
  /** Whether this is the one signature of its family that we would have written: false for the high s of an ECDSA twin. */
  isCanonical(signature: Uint8Array): boolean;
}

const always = (): boolean => true;

function ecdsa(name: Algorithm, crv: string, namedCurve: string, hash: string, order: Curve): AlgorithmEntry {
  return {
    name,
    kty: 'EC',
    crv,
    faultOf: (key) =>
      key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === namedCurve
        ? undefined
        : `needs a key on ${crv}`,
    generate: () => generateKeyPairSync('ec', { namedCurve: crv }),
    sign: (data, key) => derToRaw(sign(hash, data, key), order),
    verify: (data, signature, key) =>
      isRawSignature(signature, order) && verify(hash, data, key, rawToDer(signature, order)),
    isCanonical: (signature) => isLowS(signature, order),
  };
}

/** Algorithms that hash by themselves: the key's type says everything. */
function pure(name: Algorithm, kty: 'OKP' | 'AKP', type: string, crv?: string): AlgorithmEntry {
  // Not every Node that runs this knows every type, and the declarations list only those of one version.
  const generate = generateKeyPairSync as unknown as (type: string) => KeyPairKeyObjectResult;
  return {
    name,
    kty,
    ...(crv === undefined ? {} : { crv }),
    faultOf: (key) =>
      (key.asymmetricKeyType as string) === type ? undefined : `needs a key of type ${type}`,
    generate: () => generate(type),
    sign: (data, key) => sign(null, data, key),
    verify: (data, signature, key) => verify(null, data, key, signature),
    isCanonical: always,
  };
}

/** RFC 7518 §3.3 and §3.5 demand 2048 bits; the upper limit keeps one verification cheap. */
const rsaBits = { least: 2048, generated: 3072, most: 8192 };

function rsaFault(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== 'rsa') return 'needs an RSA key';
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < rsaBits.least) return `needs an RSA key of at least ${rsaBits.least} bits`;
  if (bits > rsaBits.most) return `needs an RSA key of at most ${rsaBits.most} bits`;
  // FIPS 186-5 §A.1.1: odd and above 2^16. An exponent of 1 would let anybody sign.
  const exponent = key.asymmetricKeyDetails?.publicExponent ?? 0n;
  return exponent > 65536n && exponent % 2n === 1n
    ? undefined
    : 'needs an odd RSA exponent of at least 65537';
}

const generateRsa = (): KeyPairKeyObjectResult =>
  generateKeyPairSync('rsa', { modulusLength: rsaBits.generated });

/** RFC 7518 §3.5: the salt is as long as the hash. */
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };

/** RFC 7518 §3.2: the key is at least as long as the hash. */
const hmacBytes = 32;

function hmac(data: Uint8Array, key: KeyObject): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

const entries: readonly AlgorithmEntry[] = [
  ecdsa(
    'ES256',
    'P-256',
    'prime256v1',
    'sha256',
    curve('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
  ),
  ecdsa(
    'ES384',
    'P-384',
    'secp384r1',
    'sha384',
    curve('ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973'),
  ),
  // RFC 8037 §3.1 and its fully specified successor name (RFC 9864): the same signature, two names, and a key has one of them.
  pure('EdDSA', 'OKP', 'ed25519', 'Ed25519'),
  pure('Ed25519', 'OKP', 'ed25519', 'Ed25519'),
  {
    name: 'RS256',
    kty: 'RSA',
    faultOf: rsaFault,
    generate: generateRsa,
    sign: (data, key) => sign('sha256', data, key),
    verify: (data, signature, key) => verify('sha256', data, key, signature),
    isCanonical: always,
  },
  {
    name: 'PS256',
    kty: 'RSA',
    faultOf: rsaFault,
    generate: generateRsa,
    sign: (data, key) => sign('sha256', data, { key, ...pss }),
    verify: (data, signature, key) => verify('sha256', data, { key, ...pss }, signature),
    isCanonical: always,
  },
  {
    name: 'HS256',
    kty: 'oct',
    faultOf: (key) =>
      key.type === 'secret' && (key.symmetricKeySize ?? 0) >= hmacBytes
        ? undefined
        : `needs a secret key of at least ${hmacBytes} bytes`,
    sign: hmac,
    verify: (data, signature, key) => {
      const expected = hmac(data, key);
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    },
    isCanonical: always,
  },
  pure('ML-DSA-44', 'AKP', 'ml-dsa-44'),
  pure('ML-DSA-65', 'AKP', 'ml-dsa-65'),
];

const byName: ReadonlyMap<string, AlgorithmEntry> = new Map(entries.map((entry) => [entry.name, entry]));

/** The entry whose name is byte for byte `name`, whether or not this runtime can run it. Anything but a string has none. */
export function findAlgorithm(name: unknown): AlgorithmEntry | undefined {
  return byName.get(name as string);
}

let postQuantum: boolean | undefined;

function hasMlDsa(): boolean {
  if (postQuantum !== undefined) return postQuantum;
  try {
    byName.get('ML-DSA-44')?.generate?.();
    postQuantum = true;
  } catch {
    postQuantum = false;
  }
  return postQuantum;
}

/** The algorithms this runtime can sign and verify with. */
export function supportedAlgorithms(): readonly Algorithm[] {
  return entries.filter((entry) => entry.kty !== 'AKP' || hasMlDsa()).map((entry) => entry.name);
}
