// What the issuer signs about its signals: a compact JWS over an epoch, a number, a moment and the SHA-256 of a batch of events or of a
// snapshot. Nothing that came by stream or snapshot counts before one of these has been verified. Keys come from the issuer's
// own key set, and one that a mark revokes is not believed, although the set may still hold it. Whether the content is newer
// than what is known is judged by the caller, who knows.
import type { Algorithm } from '../jwa.ts';
import { verifyJws } from '../jws.ts';
import type { KeySet } from '../keys.ts';
import { parseStrictJson } from '../strict_json.ts';
import { TokenError } from '../token_error.ts';
import { isCount } from './position.ts';

export interface Attestation {
  readonly epoch: string;
  /** The number before the batch. A snapshot has none. */
  readonly from: number | undefined;
  readonly seq: number;
  /** Milliseconds, the issuer's clock. */
  readonly asOf: number;
  /** Seconds. */
  readonly maxLife: number;
  /** base64url. */
  readonly sha256: string;
}

/** Whose word counts. */
export interface Trust {
  readonly issuer: string;
  readonly algorithms: readonly Algorithm[];
  readonly keys: () => KeySet;
  readonly isRevokedKey: (kid: string) => boolean;
}

/** A signature that was refused. `unknownKey` is set when newer keys may help. */
export class AttestationFault extends Error {
  override readonly name = 'AttestationFault';
  readonly unknownKey: boolean;

  constructor(message: string, unknownKey = false) {
    super(message);
    this.unknownKey = unknownKey;
  }
}

/** What is signed, or AttestationFault. */
export function readAttestation(compact: unknown, trust: Trust): Attestation {
  const { header, payload } = verifySignature(compact, trust);
  if (header.typ !== 'signals+jwt') throw new AttestationFault('the signature is not one of signals');
  if (header.kid === undefined) throw new AttestationFault('the signature names no key');
  if (trust.isRevokedKey(header.kid)) throw new AttestationFault('signed with a revoked key');
  const { iss, epoch, from, seq, as_of: asOf, max_life: maxLife, sha256 } = parsePayload(payload);
  if (iss !== trust.issuer) throw new AttestationFault('signed for another issuer');
  if (typeof epoch !== 'string' || typeof sha256 !== 'string') throw wrongShape();
  if (!isCount(seq) || !isCount(asOf) || !isCount(maxLife)) throw wrongShape();
  if (from !== undefined && !isCount(from)) throw wrongShape();
  return { epoch, from, seq, asOf, maxLife, sha256 };
}

function verifySignature(compact: unknown, { keys, algorithms }: Trust) {
  try {
    return verifyJws(compact, keys(), { algorithms });
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    throw new AttestationFault(`the signature was refused: ${error.code}`, error.code === 'unknown_key');
  }
}

function parsePayload(payload: Uint8Array): Record<string, unknown> {
  try {
    const value = parseStrictJson(payload);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Refused below, in our own words.
  }
  throw wrongShape();
}

function wrongShape(): AttestationFault {
  return new AttestationFault('what is signed has a wrong shape');
}
