// The whole live set of marks in one signed document, so that a cache or a false server can neither forge nor change it. The
// signature is in a header and names the SHA-256 of the body: it is verified before the body is read, so only the issuer
// can make us read a large one. Keys come from the issuer's own key set, never from the snapshot. Whether the document is
// newer than what is known is judged by the caller, who knows.
import { createHash } from 'node:crypto';
import type { Algorithm } from '../jwa.ts';
import { verifyJws } from '../jws.ts';
import type { KeySet } from '../keys.ts';
import { parseStrictJson } from '../strict_json.ts';
import { TokenError } from '../token_error.ts';
import { type Fetch, getBounded } from './bounded_fetch.ts';
import { type Mark, parseMark } from './marks.ts';

export interface Snapshot {
  readonly epoch: string;
  readonly seq: number;
  /** `<epoch>-<seq>-<tag>`: where the stream goes on. */
  readonly position: string;
  /** Milliseconds. */
  readonly asOf: number;
  /** Seconds. */
  readonly maxLife: number;
  readonly marks: readonly Mark[];
}

export interface SnapshotOptions {
  readonly url: string;
  readonly issuer: string;
  readonly fetch: Fetch;
  readonly keys: KeySet;
  readonly algorithms: readonly Algorithm[];
  /** A key that must not be believed, although the set still holds it. */
  readonly isRevokedKey: (kid: string) => boolean;
  readonly signal: AbortSignal;
}

/** A snapshot that was refused. `unknownKey` is set when newer keys may help. */
export class SnapshotFault extends Error {
  override readonly name = 'SnapshotFault';
  readonly unknownKey: boolean;

  constructor(message: string, unknownKey = false) {
    super(message);
    this.unknownKey = unknownKey;
  }
}

// About 100 bytes a mark for the two million marks that a verifier holds at most.
const maxBytes = 268_435_456;
const deadline = 30_000;

type Attested = Readonly<Record<'iss' | 'epoch' | 'seq' | 'as_of' | 'max_life' | 'sha256', unknown>>;

/** Fetches and verifies the snapshot. Rejects with SnapshotFault or FetchFault. */
export async function fetchSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  let attested: Attested | undefined;
  const { body } = await getBounded({
    fetch: options.fetch,
    url: options.url,
    headers: { accept: 'application/json', 'cache-control': 'no-cache' },
    deadline,
    maxBytes,
    signal: options.signal,
    inspect: (headers) => {
      attested = readSignature(headers.get('latchkey-signature'), options);
    },
  });
  const digest = createHash('sha256').update(body).digest('base64url');
  if (attested === undefined || attested.sha256 !== digest) {
    throw new SnapshotFault('the snapshot is not the one that was signed');
  }
  return parseSnapshot(body, attested);
}

function readSignature(compact: string | null, options: SnapshotOptions): Attested {
  if (compact === null) throw new SnapshotFault('the snapshot is not signed');
  const { header, payload } = verifySignature(compact, options);
  if (header['typ'] !== 'signals+jwt') throw new SnapshotFault('the signature is not one of signals');
  if (options.isRevokedKey(String(header['kid'])))
    throw new SnapshotFault('the snapshot is signed with a revoked key');
  const attested = parsePayload(payload);
  if (attested.iss !== options.issuer) throw new SnapshotFault('the snapshot is of another issuer');
  return attested;
}

function verifySignature(compact: string, { keys, algorithms }: SnapshotOptions) {
  try {
    return verifyJws(compact, keys, { algorithms });
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    throw new SnapshotFault(`the signature was refused: ${error.code}`, error.code === 'unknown_key');
  }
}

function parsePayload(payload: Uint8Array): Attested {
  try {
    return parseStrictJson(Buffer.from(payload)) as Attested;
  } catch {
    throw new SnapshotFault('the signed summary is not JSON');
  }
}

function parseSnapshot(body: Uint8Array, attested: Attested): Snapshot {
  const value = parseSigned(body);
  const { epoch, seq, position, as_of: asOf, max_life: maxLife, marks } = value;
  for (const name of ['iss', 'epoch', 'seq', 'as_of', 'max_life'] as const) {
    if (value[name] !== attested[name])
      throw new SnapshotFault(`the snapshot and its signature differ in ${name}`);
  }
  if (typeof epoch !== 'string' || !isCount(seq) || !isCount(asOf) || !isCount(maxLife)) {
    throw new SnapshotFault('the snapshot has a wrong shape');
  }
  if (!isPosition(position, epoch, seq) || !Array.isArray(marks))
    throw new SnapshotFault('the snapshot has a wrong shape');
  return { epoch, seq, position, asOf, maxLife, marks: parseMarks(marks) };
}

/** The issuer's signature covers these bytes, so the fast native parser may read them; two million marks take a while. */
function parseSigned(body: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Refused below, in our own words.
  }
  throw new SnapshotFault('the snapshot is not a JSON object');
}

export function parseMarks(values: readonly unknown[]): Mark[] {
  return values.map((value) => {
    const mark = parseMark((value as { kind?: unknown } | null)?.kind, value);
    if (mark === undefined) throw new SnapshotFault('the snapshot holds a mark that is not known here');
    return mark;
  });
}

/** Positions go back to the server in a header: printable, short, and of this epoch and number. */
export function isPosition(value: unknown, epoch: string, seq: number): value is string {
  if (typeof value !== 'string' || !/^[\x21-\x7e]{1,256}$/.test(value)) return false;
  const start = `${epoch}-${seq}-`;
  return value.startsWith(start) && value.length > start.length;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
