// JSON Web Signature in compact form (RFC 7515), the strict subset: one signature, an embedded payload, a header that says
// nothing but what it must. `verifyJws` and `signJws` are the general ends; jwt.ts and access_token.ts stand on the steps.
//
// Rules: everything that can be refused without a signature check is refused before it. Header parameters that bring their own
// key, certificate, compression, encryption or processing rules are refused on presence, whatever they hold (RFC 8725 §3.10,
// RFC 7515 §4.1.11, RFC 7797). Only TokenError is thrown for a bad token; TypeError is for a bad argument.
import { Buffer } from 'node:buffer';
import { decodeBase64url, decodeBase64urlInto, decodeBase64urlTail, encodeBase64url } from './base64url.ts';
import { type Algorithm, findAlgorithm } from './jwa.ts';
import { type JwkSet, parseJwkSet } from './jwk.ts';
import { type KeySet, type SigningKey, signerOf, type VerificationKey, verifierOf } from './keys.ts';
import { createScratch } from './scratch.ts';
import { parseStrictJson } from './strict_json.ts';
import { TokenError } from './token_error.ts';

/** The longest token that is looked at, in characters. */
export const maxTokenLength = 8192;

export interface JoseHeader {
  readonly alg: Algorithm;
  readonly kid?: string;
  readonly typ?: string;
  readonly [parameter: string]: unknown;
}

/** A token cut at its dots; nothing is decoded yet. */
export interface CompactParts {
  readonly token: string;
  readonly headerEnd: number;
  readonly payloadEnd: number;
}

export interface VerifyJwsOptions {
  /** What the header's `alg` may be. At least one. */
  readonly algorithms: readonly Algorithm[];
}

export interface VerifiedJws {
  /** Frozen; has no prototype. */
  readonly header: JoseHeader;
  readonly payload: Uint8Array;
}

/** Header parameters that are refused on presence. */
const forbidden = ['crit', 'b64', 'zip', 'enc', 'jwk', 'jku', 'x5u', 'x5c', 'x5t', 'x5t#S256'] as const;

/** Cuts a token. Only size and the number of dots are looked at (RFC 7515 §7.1: exactly two). */
export function splitCompact(token: unknown): CompactParts {
  if (typeof token !== 'string') throw new TokenError('malformed', 'the token is not a string');
  if (token.length > maxTokenLength) throw new TokenError('malformed', 'the token is too long');
  const headerEnd = token.indexOf('.');
  const payloadEnd = token.indexOf('.', headerEnd + 1);
  if (headerEnd <= 0 || payloadEnd < 0 || token.includes('.', payloadEnd + 1)) {
    throw new TokenError('malformed', 'the token does not have three segments');
  }
  return { token, headerEnd, payloadEnd };
}

/**
 * Headers of tokens whose signature was good, by their encoded segment: an issuer writes a handful of different ones. Nobody
 * without a key can put anything in here; one that has a key can at most make it start afresh.
 */
const knownHeaders = new Map<string, JoseHeader>();
const maxKnownHeaders = 256;
/** The one seen last, which is nearly always the one that comes: comparing costs less than looking it up. */
let latest: { readonly segment: string; readonly header: JoseHeader } | undefined;

/** The header, checked as far as it goes without a key. Frozen. */
export function readHeader({ token, headerEnd }: CompactParts): JoseHeader {
  if (latest !== undefined && latest.segment.length === headerEnd && token.startsWith(latest.segment)) {
    return latest.header;
  }
  const segment = token.slice(0, headerEnd);
  return knownHeaders.get(segment) ?? parseHeader(segment);
}

/** To be called once the token's signature was found good. */
export function rememberHeader({ token, headerEnd }: CompactParts, header: JoseHeader): void {
  if (header === latest?.header) return;
  // A slice would keep the whole token alive.
  const segment = Buffer.from(token.slice(0, headerEnd), 'latin1').toString('latin1');
  if (knownHeaders.size >= maxKnownHeaders) knownHeaders.clear();
  knownHeaders.set(segment, header);
  latest = { segment, header };
}

function parseHeader(segment: string): JoseHeader {
  const header = parseObject(segment, 'header');
  for (const name of forbidden) {
    if (name in header) throw new TokenError('malformed', `the header parameter ${name} is not accepted`);
  }
  const { alg, kid, typ } = header;
  if (findAlgorithm(alg) === undefined) throw new TokenError('unsupported_algorithm', 'unknown algorithm');
  if (kid !== undefined && (typeof kid !== 'string' || kid.length === 0 || kid.length > 256)) {
    throw new TokenError('malformed', 'the header parameter kid is not a proper string');
  }
  if (typ !== undefined && typeof typ !== 'string') {
    throw new TokenError('malformed', 'the header parameter typ is not a string');
  }
  return Object.freeze(header) as unknown as JoseHeader;
}

const segmentBytes = createScratch(maxTokenLength);
const signatureBytes = createScratch(maxTokenLength);
const signingInput = createScratch(maxTokenLength);
// A character takes at most three bytes of UTF-8.
const payloadBytes = Buffer.alloc(3 * maxTokenLength);

/** A segment that must be a JSON object, without a prototype so that no name in it means more than the sender wrote. */
function parseObject(segment: string, what: string): Record<string, unknown> {
  const value = parseJsonSegment(segment, what);
  return Object.setPrototypeOf(value, null) as Record<string, unknown>;
}

/** Decodes a segment that must be canonical base64url of a strict JSON object. */
export function parseJsonSegment(segment: string, what: string): object {
  const length = decodeBase64urlInto(segment, segmentBytes.bytes);
  if (length < 0) throw new TokenError('malformed', `the ${what} is not canonical base64url`);
  let value: unknown;
  try {
    value = parseStrictJson(segmentBytes.first(length));
  } catch {
    throw new TokenError('malformed', `the ${what} is not strict JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TokenError('malformed', `the ${what} is not a JSON object`);
  }
  return value;
}

/** The signature's bytes, not checked any further; good until the next call. */
function decodeSignature({ token, payloadEnd }: CompactParts): Buffer {
  const length = decodeBase64urlTail(token, payloadEnd + 1, signatureBytes.bytes);
  if (length < 0) throw new TokenError('malformed', 'the signature is not canonical base64url');
  if (length === 0) throw new TokenError('invalid_signature', 'the signature is missing');
  return signatureBytes.first(length);
}

/**
 * Checks the signature over header and payload; both must have been found canonical before. The header's `alg` must be the
 * key's own (RFC 8725 §3.1). With `onlyCanonical` the high s of an ECDSA twin is refused.
 */
export function checkSignature(
  parts: CompactParts,
  header: JoseHeader,
  key: VerificationKey,
  onlyCanonical: boolean,
): void {
  const algorithm = verifierOf(key);
  const signature = decodeSignature(parts);
  if (header.alg !== key.alg) throw new TokenError('unsupported_algorithm', "alg is not the key's own");
  if (onlyCanonical && !algorithm.isCanonical(signature)) {
    throw new TokenError('invalid_signature', 'not the canonical signature');
  }
  signingInput.bytes.write(parts.token, 'latin1');
  if (!algorithm.verify(signingInput.first(parts.payloadEnd), signature, key.key)) {
    throw new TokenError('invalid_signature', 'the signature does not fit');
  }
}

/**
 * Verifies a compact JWS. Throws TokenError for anything wrong with it, also where it is not a string. A plain JWK Set is
 * parsed on every call (it could have changed): use `parseJwkSet` once where speed matters; where its keys have no `alg`, the one
 * of `algorithms` that fits counts. A token without `kid` is accepted only where exactly one key fits its `alg`.
 *
 * Does NOT check: `typ`, or anything about the payload (use `verifyJwt` for claims); and takes both forms of an ECDSA
 * signature, (r, s) and (r, n - s), since others sign either. Never use the token's text as a key for "seen before".
 */
export function verifyJws(compact: unknown, jwkSet: JwkSet | KeySet, options: VerifyJwsOptions): VerifiedJws {
  const { algorithms } = options;
  const keys = keysOf(jwkSet, algorithms);
  const parts = splitCompact(compact);
  const header = readHeader(parts);
  if (!algorithms.includes(header.alg))
    throw new TokenError('unsupported_algorithm', 'alg is not allowed here');
  const payload = decodeBase64url(parts.token.slice(parts.headerEnd + 1, parts.payloadEnd));
  if (payload === undefined) throw new TokenError('malformed', 'the payload is not canonical base64url');
  checkSignature(parts, header, findKey(header, keys), false);
  rememberHeader(parts, header);
  // A copy: a Buffer from Node's pool shares its memory with others.
  return { header, payload: new Uint8Array(payload) };
}

/** TypeError for a list of algorithms that is empty or names an unknown one; JwkError for a bad set. */
export function keysOf(jwkSet: JwkSet | KeySet, algorithms: readonly Algorithm[]): KeySet {
  if (!Array.isArray(algorithms) || algorithms.length === 0)
    throw new TypeError('algorithms must name at least one');
  for (const name of algorithms)
    if (findAlgorithm(name) === undefined) throw new TypeError('algorithms names an unknown one');
  return jwkSet instanceof Map ? (jwkSet as KeySet) : parseJwkSet(jwkSet, { algorithms });
}

export function findKey({ alg, kid }: JoseHeader, keys: KeySet): VerificationKey {
  if (kid !== undefined) {
    const key = keys.get(kid);
    if (key === undefined) throw new TokenError('unknown_key', 'no key with this kid');
    return key;
  }
  const fitting = [...keys.values()].filter((key) => key.alg === alg);
  if (fitting.length !== 1)
    throw new TokenError('unknown_key', 'a token without kid, and not exactly one key for it');
  return fitting[0]!;
}

/**
 * Signs `payload` (a text stands for its UTF-8). `alg` and `kid` of the header are the key's; giving others, or a parameter that
 * `verifyJws` refuses, is a TypeError.
 */
export function signJws(
  header: Readonly<Record<string, unknown>>,
  payload: Uint8Array | string,
  key: SigningKey,
): string {
  signerOf(key);
  const full = { ...header, alg: key.alg, kid: key.kid };
  if ((header['alg'] ?? key.alg) !== key.alg) throw new TypeError("alg is not the key's own");
  if ((header['kid'] ?? key.kid) !== key.kid) throw new TypeError("kid is not the key's own");
  for (const name of forbidden)
    if (Object.hasOwn(full, name)) throw new TypeError(`the header parameter ${name} is not accepted`);
  return signSegments(encodeBase64url(JSON.stringify(full)), encodeBase64url(payload), key);
}

/** Signs an encoded header and a payload given as text. */
export function signText(header: string, payload: string, key: SigningKey): string {
  if (payload.length > maxTokenLength) throw tooLong();
  const length = payloadBytes.write(payload, 'utf8');
  return signSegments(header, payloadBytes.toString('base64url', 0, length), key);
}

/** Signs segments that are already encoded. */
function signSegments(header: string, payload: string, key: SigningKey): string {
  const algorithm = signerOf(key);
  const input = `${header}.${payload}`;
  if (input.length > maxTokenLength) throw tooLong();
  signingInput.bytes.write(input, 'latin1');
  const signature = algorithm.sign(signingInput.first(input.length), key.key);
  const token = `${input}.${signature.toString('base64url')}`;
  if (token.length > maxTokenLength) throw tooLong();
  return token;
}

function tooLong(): TypeError {
  return new TypeError(`a token of more than ${maxTokenLength} characters`);
}
