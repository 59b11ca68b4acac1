// The snapshot: every live mark, and a signature that binds it to issuer, epoch, number and time. Made once a second at the
// most, however many ask: strangers may, and the set may be large.
import { createHash } from 'node:crypto';
import { type SigningKey, signJws } from '@latchkey/core';
import type { Queries } from '../storage/database.ts';
import { liveMarks, readHead } from '../storage/signals.ts';
import { snapshotBody } from './frames.ts';

export interface Snapshot {
  readonly etag: string;
  readonly body: string;
  /** A compact JWS over what the body says of itself and its SHA-256. */
  readonly signature: string;
}

export interface SnapshotOptions {
  readonly queries: Queries;
  /** The one that signs now. */
  readonly signingKey: () => SigningKey;
  readonly issuer: string;
  readonly epoch: string;
  /** Seconds. */
  readonly maxLife: () => Promise<number>;
}

/** Answers the snapshot of this moment, or one that is less than a second old and has every signal that there is. */
export function createSnapshots(options: SnapshotOptions): () => Promise<Snapshot> {
  const { queries, issuer, epoch } = options;
  let last: Snapshot | undefined;

  function sign(body: string, said: object): string {
    const key = options.signingKey();
    const sha256 = createHash('sha256').update(body).digest('base64url');
    return signJws(
      { alg: key.alg, kid: key.kid, typ: 'signals+jwt' },
      JSON.stringify({ ...said, sha256 }),
      key,
    );
  }

  return async () => {
    // The head first: marks that come between the two reads are sent again by the stream, never lost.
    const head = await readHead(queries);
    const etag = `"${epoch}-${head.seq}-${head.tag}-${Math.floor(head.asOf / 1000)}"`;
    if (last?.etag === etag) return last;
    const marks = (await liveMarks(queries)).filter((mark) => mark.seq <= head.seq);
    const maxLife = await options.maxLife();
    const body = snapshotBody({ issuer, epoch, head, maxLife, marks });
    const said = { iss: issuer, epoch, seq: head.seq, as_of: head.asOf, max_life: maxLife };
    last = { etag, body, signature: sign(body, said) };
    return last;
  };
}
