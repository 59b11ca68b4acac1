// The whole live set of marks in one document (docs/protocol/signals.md), which may come by way of a cache. The issuer's signature is in
// a header and names the SHA-256 of the body: it is verified before the body is read, so only the issuer can make us read a
// large one. Whoever holds a snapshot asks whether it is still the present one, and then a signature alone is the answer.
import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { type Attestation, readAttestation, type Trust } from './attestation.ts';
import { type Fetch, fetchBounded } from './bounded_fetch.ts';
import { createColumnJson } from './column_json.ts';
import { readMarkGroups } from './mark_groups.ts';
import type { MarkGroup } from './marks.ts';
import { isPosition, type Position } from './position.ts';

export interface Snapshot {
  /** Where the stream goes on. */
  readonly position: Position;
  /** Milliseconds. */
  readonly asOf: number;
  /** Seconds. */
  readonly maxLife: number;
  /** Empty where nothing has changed since the one that is held. */
  readonly groups: readonly MarkGroup[];
  /** base64url, of the body. */
  readonly sha256: string;
  readonly etag: string | undefined;
}

export interface SnapshotOptions {
  readonly url: string;
  readonly fetch: Fetch;
  readonly headers: Readonly<Record<string, string>>;
  readonly trust: Trust;
  readonly signal: AbortSignal;
}

/** A snapshot that was refused. */
export class SnapshotFault extends Error {
  override readonly name = 'SnapshotFault';
}

// About 50 bytes a mark for the two million marks that a verifier holds at most.
const maxBytes = 268_435_456;
const deadline = 30_000;
/** An issuer with a million marks needs seconds to begin; a connection that is dead at the other end never does. */
const patience = 10_000;

/** The present snapshot. Rejects with SnapshotFault, AttestationFault or FetchFault. */
export async function fetchSnapshot(options: SnapshotOptions, held: Snapshot | undefined): Promise<Snapshot> {
  const digest = createHash('sha256');
  let attested: Attestation | undefined;
  const { status, headers, chunks } = await fetchBounded({
    fetch: options.fetch,
    url: options.url,
    headers: {
      ...options.headers,
      accept: 'application/json',
      ...(held?.etag === undefined ? {} : { 'if-none-match': held.etag }),
    },
    statuses: held?.etag === undefined ? [200] : [200, 304],
    deadline,
    patience,
    maxBytes,
    signal: options.signal,
    inspect: (head) => {
      attested = readAttestation(head.get('latchkey-signature'), options.trust);
    },
    onChunk: (chunk) => digest.update(chunk),
  });
  if (attested === undefined || attested.from !== undefined)
    throw new SnapshotFault('the signature is not one of a snapshot');
  if (status === 304) return renewed(held, attested);
  if (attested.sha256 !== digest.digest('base64url'))
    throw new SnapshotFault('the snapshot is not the one that was signed');
  const content = readContent(await parse(chunks), attested, options.trust.issuer);
  return { ...content, sha256: attested.sha256, etag: readEtag(headers) };
}

/** The one we hold, as of now. */
function renewed(held: Snapshot | undefined, { epoch, seq, sha256, asOf, maxLife }: Attestation): Snapshot {
  const same = held?.sha256 === sha256 && held.position.epoch === epoch && held.position.seq === seq;
  if (held === undefined || !same) throw new SnapshotFault('the snapshot that is held is another one');
  return { ...held, asOf, maxLife, groups: [] };
}

function readContent(
  { position, marks, ...said }: Readonly<Record<string, unknown>>,
  { epoch, seq, asOf, maxLife }: Attestation,
  issuer: string,
): Pick<Snapshot, 'position' | 'asOf' | 'maxLife' | 'groups'> {
  if (said['iss'] !== issuer || said['epoch'] !== epoch || said['seq'] !== seq)
    throw new SnapshotFault('the snapshot and its signature differ');
  if (!isPosition(position, epoch, seq)) throw new SnapshotFault('the snapshot has a wrong shape');
  const groups = readMarkGroups(marks);
  if (groups === undefined) throw new SnapshotFault('the snapshot holds marks that are not known here');
  return { position: { epoch, seq, id: position }, asOf, maxLife, groups };
}

/** Bytes that are parsed between two turns of the loop: a few milliseconds. */
const partLength = 262_144;

/** The issuer's signature covers these bytes, so the fast native parser may read them. */
async function parse(chunks: readonly Uint8Array[]): Promise<Readonly<Record<string, unknown>>> {
  const json = createColumnJson();
  try {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += partLength) {
        json.push(chunk.subarray(at, at + partLength));
        await turn();
      }
    }
    const value = json.end();
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Refused below, in our own words.
  }
  throw new SnapshotFault('the snapshot is not a JSON object');
}

/** RFC 9110 §8.8.3. A strange one is none: then the whole document is asked for. */
function readEtag(headers: Headers): string | undefined {
  const etag = headers.get('etag') ?? '';
  return /^(?:W\/)?"[\x21\x23-\x7e]{1,256}"$/.test(etag) ? etag : undefined;
}
