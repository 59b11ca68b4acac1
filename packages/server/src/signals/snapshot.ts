// The snapshot: every live mark, and a signature that binds it to issuer, epoch, number and time. Anybody may ask for it and the
// set may be large, so the marks are kept between two of them, the body is made anew only when the set has changed, in pieces
// between which others have their turn, and however many ask, one at a time is made.
import { createHash } from 'node:crypto';
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { SigningKey } from '@latchkey/core';
import { AuthError } from '../errors.ts';
import type { Queries } from '../storage/database.ts';
import { readHead, signalsAfter, touchesKeys } from '../storage/signals.ts';
import { positionOf, type SnapshotHead, snapshotPieces } from './frames.ts';
import { createMarkTable, type MarkTable } from './mark_table.ts';
import { signStatement } from './statement.ts';
import { inTurns } from './turns.ts';

export interface Snapshot {
  /** Strong: the same for the same bytes. */
  readonly etag: string;
  readonly body: Buffer;
  /** A compact JWS over what the body says of itself, its time and its SHA-256. */
  readonly signature: string;
}

export interface SnapshotOptions {
  readonly queries: Queries;
  readonly issuer: string;
  readonly epoch: string;
  /** The one that signs now. */
  readonly signingKey: () => SigningKey;
  /** As the hub's: called before anything is signed. */
  readonly keysChanged: () => Promise<void>;
  /** Seconds. */
  readonly maxLife: () => Promise<number>;
}

interface Body {
  readonly seq: number;
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** Rows read between two turns of the loop. */
const pageSize = 1000;
/** Bytes written between two turns of the loop. */
const turnLength = 65_536;
/** Milliseconds after which the time in the signature is renewed. */
const renewal = 1000;
/** Requests that may wait while a large one is made. */
const maxWaiting = 5000;
/** Making it takes at most a tenth of the time, however fast the set changes. */
const pace = { rest: 9, longestRest: 1000 };

/** Answers a snapshot that holds every signal there was when it was asked for. */
export function createSnapshots(options: SnapshotOptions): () => Promise<Snapshot> {
  const { queries, issuer, epoch } = options;
  const table = createMarkTable();
  let loaded = 0;
  let body: Body | undefined;
  let last: { snapshot: Snapshot; asOf: number } | undefined;
  let waiting = 0;

  async function load(until: number, now: number): Promise<void> {
    let keys = false;
    while (loaded < until) {
      const rows = (await signalsAfter(queries, loaded, pageSize)).filter(({ seq }) => seq <= until);
      keys ||= touchesKeys(rows);
      table.add(rows.filter((row) => row.until === null || row.until > now));
      loaded = rows.at(-1)?.seq ?? until;
      if (loaded < until) await othersTurn();
    }
    if (keys) await options.keysChanged();
  }

  async function take(): Promise<Snapshot> {
    // The head first: what is committed while the rows are read belongs to the next one.
    const head = await readHead(queries);
    if (head.seq < loaded) throw new Error('the signals in the database have gone back');
    if (body === undefined || body.seq !== head.seq || table.hasExpired(head.asOf)) {
      await load(head.seq, head.asOf);
      table.dropExpired(head.asOf);
      const position = positionOf(epoch, head);
      body = await bodyOf({ iss: issuer, epoch, seq: head.seq, position }, table);
      last = undefined;
    }
    const age = last === undefined ? renewal : head.asOf - last.asOf;
    if (last !== undefined && age >= 0 && age < renewal) return last.snapshot;
    const { bytes, sha256 } = body;
    const said = { seq: head.seq, as_of: head.asOf, max_life: await options.maxLife() };
    const signature = signStatement({ iss: issuer, epoch, ...said, sha256 }, options.signingKey());
    last = { snapshot: { etag: `"${sha256}"`, body: bytes, signature }, asOf: head.asOf };
    return last.snapshot;
  }

  const turn = inTurns(take, pace);
  return async () => {
    if (waiting >= maxWaiting)
      throw new AuthError('unavailable', 'Too many are waiting for the snapshot.', { retryAfter: 1 });
    waiting += 1;
    try {
      return await turn();
    } finally {
      waiting -= 1;
    }
  };
}

async function bodyOf(head: SnapshotHead, table: MarkTable): Promise<Body> {
  const hash = createHash('sha256');
  const pieces: Buffer[] = [];
  let held = 0;
  for (const text of snapshotPieces(head, table.groups())) {
    const piece = Buffer.from(text);
    hash.update(piece);
    pieces.push(piece);
    held += piece.length;
    if (held < turnLength) continue;
    held = 0;
    await othersTurn();
  }
  return { seq: head.seq, bytes: Buffer.concat(pieces), sha256: hash.digest('base64url') };
}
