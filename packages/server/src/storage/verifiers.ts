// The fleet as rows: registered verifiers, one for each of their processes. In the database, so that several auth servers share
// it: a stream may be open at one of them and its acknowledgements arrive at another. Times are the database's clock.
import type { Queries, Transaction } from './database.ts';

/** One process of a client. */
export interface VerifierKey {
  readonly clientId: string;
  readonly instance: string;
}

export interface VerifierRecord extends VerifierKey {
  /** The client's. */
  readonly name: string;
  readonly version: string;
  /** Its stream is open, as far as anybody has said. */
  readonly open: boolean;
  readonly connectedAt: number;
  /** When it last connected or acknowledged. */
  readonly seenAt: number;
  /** What it has acknowledged; null before the first time. */
  readonly epoch: string | null;
  readonly seq: number | null;
  /** The last moment at which it is known to have heard us. */
  readonly asOf: number;
}

interface VerifierRow {
  client_id: string;
  instance: string;
  name: string;
  version: string;
  connection: string | null;
  connected_at: number;
  seen_at: number;
  epoch: string | null;
  seq: number | null;
  as_of: number;
}

function verifierOf(row: VerifierRow): VerifierRecord {
  return {
    clientId: row.client_id,
    instance: row.instance,
    name: row.name,
    version: row.version,
    open: row.connection !== null,
    connectedAt: row.connected_at,
    seenAt: row.seen_at,
    epoch: row.epoch,
    seq: row.seq,
    asOf: row.as_of,
  };
}

/** One of the fleet: its stream is open, and it has been heard of in the last `?` milliseconds. */
const live = 'connection IS NOT NULL AND seen_at > now_ms() - ?';
const currentEpoch = "(SELECT value FROM meta WHERE name = 'epoch')";
const headSeq = "(SELECT value FROM counters WHERE name = 'signal')";

/**
 * Its stream opens. What it acknowledged before still holds: marks are only ever added. A client that has `most` rows loses the one
 * that has been gone longest; answers false when all of them are connected.
 */
export async function enterVerifier(
  tx: Transaction,
  verifier: VerifierKey & { readonly name: string; readonly version: string },
  connection: string,
  most: number,
): Promise<boolean> {
  const { clientId, instance, name, version } = verifier;
  const known = await tx.run(
    `UPDATE verifiers SET name = ?, version = ?, connection = ?, connected_at = now_ms(), seen_at = now_ms(), as_of = now_ms()
     WHERE client_id = ? AND instance = ?`,
    ...[name, version, connection, clientId, instance],
  );
  if (known > 0) return true;
  await tx.run(
    `DELETE FROM verifiers WHERE client_id = ? AND instance =
       (SELECT instance FROM verifiers WHERE client_id = ? AND connection IS NULL ORDER BY as_of, instance LIMIT 1)
       AND (SELECT count(*) FROM verifiers WHERE client_id = ?) >= ?`,
    ...[clientId, clientId, clientId, most],
  );
  const made = await tx.run(
    `INSERT INTO verifiers (client_id, instance, name, version, connection, connected_at, seen_at, as_of)
     SELECT ?, ?, ?, ?, ?, now_ms(), now_ms(), now_ms() WHERE (SELECT count(*) FROM verifiers WHERE client_id = ?) < ?`,
    ...[clientId, instance, name, version, connection, clientId, most],
  );
  return made > 0;
}

/** Its stream is closed, unless it has opened another one since. */
export async function closeVerifier(tx: Transaction, key: VerifierKey, connection: string): Promise<void> {
  await tx.run(
    'UPDATE verifiers SET connection = NULL, as_of = now_ms() WHERE client_id = ? AND instance = ? AND connection = ?',
    ...[key.clientId, key.instance, connection],
  );
}

/**
 * It lives, and has applied everything up to `seq`. A number never goes down; one of another epoch, or one that no signal has yet, is
 * a sign of life and no more. Answers false when the verifier is not known.
 */
export async function acknowledgeSignals(
  tx: Transaction,
  { clientId, instance }: VerifierKey,
  epoch: string,
  seq: number,
): Promise<boolean> {
  const known = await tx.run(
    'UPDATE verifiers SET seen_at = now_ms(), as_of = now_ms() WHERE client_id = ? AND instance = ?',
    ...[clientId, instance],
  );
  if (known === 0) return false;
  await tx.run(
    `UPDATE verifiers SET epoch = ?, seq = ? WHERE client_id = ? AND instance = ?
       AND (epoch IS NULL OR epoch <> ? OR seq < ?) AND ${currentEpoch} = ? AND ${headSeq} >= ?`,
    ...[epoch, seq, clientId, instance, epoch, seq, epoch, seq],
  );
  return true;
}

/** Its process ends: it trusts nothing any more. */
export async function removeVerifier(tx: Transaction, key: VerifierKey): Promise<boolean> {
  return (
    (await tx.run(
      'DELETE FROM verifiers WHERE client_id = ? AND instance = ?',
      ...[key.clientId, key.instance],
    )) === 1
  );
}

export async function isKnownVerifier(queries: Queries, key: VerifierKey): Promise<boolean> {
  const row = await queries.one(
    'SELECT 1 AS known FROM verifiers WHERE client_id = ? AND instance = ?',
    ...[key.clientId, key.instance],
  );
  return row !== undefined;
}

/** Verifiers after this one, by client and instance, and the database's time. */
export async function listVerifiers(
  queries: Queries,
  after: VerifierKey,
  limit: number,
): Promise<{ verifiers: VerifierRecord[]; now: number }> {
  const rows = await queries.all<VerifierRow & { now: number }>(
    `SELECT *, now_ms() AS now FROM verifiers WHERE (client_id, instance) > (?, ?) ORDER BY client_id, instance LIMIT ?`,
    ...[after.clientId, after.instance, limit],
  );
  return { verifiers: rows.map(verifierOf), now: rows[0]?.now ?? 0 };
}

/** All of them, those that are gone and may still trust what they have included. */
export async function allVerifiers(queries: Queries): Promise<{ verifiers: VerifierRecord[]; now: number }> {
  const rows = await queries.all<VerifierRow & { now: number }>(
    'SELECT *, now_ms() AS now FROM verifiers ORDER BY name, client_id, instance',
  );
  return { verifiers: rows.map(verifierOf), now: rows[0]?.now ?? 0 };
}

/** How many of the fleet have not acknowledged this number. */
export async function countBehind(queries: Queries, seq: number, silence: number): Promise<number> {
  const row = await queries.one<{ n: number }>(
    `SELECT count(*) AS n FROM verifiers WHERE ${live} AND (seq IS NULL OR epoch <> ${currentEpoch} OR seq < ?)`,
    ...[silence, seq],
  );
  return row?.n ?? 0;
}

/** How many are in the fleet, and how many signals behind the slowest of those is that have acknowledged any. */
export async function measureFleet(
  queries: Queries,
  silence: number,
): Promise<{ size: number; lag: number }> {
  const row = await queries.one<{ size: number; lag: number | null }>(
    `SELECT count(*) AS size, max(CASE WHEN epoch = ${currentEpoch} THEN ${headSeq} - seq END) AS lag
     FROM verifiers WHERE ${live}`,
    silence,
  );
  return { size: row?.size ?? 0, lag: row?.lag ?? 0 };
}

/** Removes those that have been gone so long that they trust nothing any more. `trust`, `silence`: milliseconds. */
export async function sweepVerifiers(
  tx: Transaction,
  trust: number,
  silence: number,
  limit: number,
): Promise<number> {
  return await tx.run(
    `DELETE FROM verifiers WHERE (client_id, instance) IN (SELECT client_id, instance FROM verifiers
       WHERE (connection IS NULL AND as_of < now_ms() - ?) OR (connection IS NOT NULL AND seen_at < now_ms() - ?) LIMIT ?)`,
    ...[trust, trust + silence, limit],
  );
}
