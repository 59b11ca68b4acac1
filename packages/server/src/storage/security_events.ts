// What each receiver has still to be told: one row for each receiver and event, written in the transaction of the change. The
// place is the number of the signal that the change made, so rows stand in the order of commit (signals.ts). Locks are always
// taken in one order, so that nobody waits in a circle: the signals' counter, the receiver's row, its events.
import type { Queries, Transaction } from './database.ts';

export interface SecurityEventRecord {
  readonly jti: string;
  /** The same for everything that one change caused. */
  readonly txn: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly type: string;
  /** JSON: the subject and the event's own members. */
  readonly content: string;
}

export interface NewSecurityEvent extends Pick<SecurityEventRecord, 'txn' | 'type' | 'content'> {
  /** Random; each receiver's own tag is added to it. */
  readonly id: string;
  /** The number of the signal, and the place among the events that it causes. */
  readonly seq: number;
  readonly part: number;
}

/** Receivers that had to let their oldest events go, and whether this is news. */
export interface Overflow {
  readonly clientId: string;
  readonly first: boolean;
}

/** Writes the event for every receiver that wants its type. None of them keeps more than `most`: the oldest go. */
export async function insertSecurityEvent(
  tx: Transaction,
  event: NewSecurityEvent,
  most: number,
): Promise<Overflow[]> {
  const wanted = "' ' || events || ' ' LIKE '% ' || ? || ' %'";
  const receivers = await tx.all<{ client_id: string; waiting: number; overflowing: number }>(
    `UPDATE receivers SET waiting = waiting + 1 WHERE ${wanted} RETURNING client_id, waiting, overflowing`,
    event.type,
  );
  if (receivers.length === 0) return [];
  await tx.run(
    `INSERT INTO security_events (client_id, seq, part, jti, txn, at, type, content)
     SELECT client_id, ?, ?, ? || '.' || tag, ?, now_ms(), ?, ? FROM receivers WHERE ${wanted}`,
    event.seq,
    event.part,
    event.id,
    event.txn,
    event.type,
    event.content,
    event.type,
  );
  const full = receivers.filter(({ waiting }) => waiting > most);
  for (const { client_id: clientId, waiting } of full) await dropOldest(tx, clientId, waiting - most);
  return full.map((row) => ({ clientId: row.client_id, first: row.overflowing === 0 }));
}

async function dropOldest(tx: Transaction, clientId: string, count: number): Promise<void> {
  const dropped = await tx.run(
    `DELETE FROM security_events WHERE client_id = ? AND (seq, part) IN
       (SELECT seq, part FROM security_events WHERE client_id = ? ORDER BY seq, part LIMIT ?)`,
    clientId,
    clientId,
    count,
  );
  await tx.run(
    'UPDATE receivers SET waiting = waiting - ?, lost = lost + ?, overflowing = 1 WHERE client_id = ?',
    dropped,
    dropped,
    clientId,
  );
}

/** The oldest first. */
export async function readSecurityEvents(
  queries: Queries,
  clientId: string,
  limit: number,
): Promise<SecurityEventRecord[]> {
  return await queries.all<SecurityEventRecord>(
    'SELECT jti, txn, at, type, content FROM security_events WHERE client_id = ? ORDER BY seq, part LIMIT ?',
    clientId,
    limit,
  );
}

/** Takes out what a receiver has taken; an id that is not there (any more) is passed over. Answers how many were. */
export async function removeSecurityEvents(
  tx: Transaction,
  clientId: string,
  jtis: readonly string[],
): Promise<number> {
  if (jtis.length === 0) return 0;
  await lockReceiver(tx, clientId);
  let removed = 0;
  for (const jti of jtis)
    removed += await tx.run('DELETE FROM security_events WHERE client_id = ? AND jti = ?', clientId, jti);
  // When it has caught up, the next overflow is news again.
  await tx.run(
    `UPDATE receivers SET waiting = waiting - ?, overflowing = CASE WHEN waiting <= ? THEN 0 ELSE overflowing END
     WHERE client_id = ?`,
    removed,
    removed,
    clientId,
  );
  return removed;
}

async function lockReceiver(tx: Transaction, clientId: string): Promise<void> {
  await tx.run('UPDATE receivers SET waiting = waiting WHERE client_id = ?', clientId);
}

/** Removes some events of one receiver that it has not taken for `keep` milliseconds; answers how many: 0 when there are none left. */
export async function sweepSecurityEvents(tx: Transaction, keep: number, limit: number): Promise<number> {
  const oldest =
    'SELECT at FROM security_events WHERE client_id = receivers.client_id ORDER BY seq, part LIMIT 1';
  const row = await tx.one<{ client_id: string }>(
    `SELECT client_id FROM receivers WHERE (${oldest}) < now_ms() - ? LIMIT 1`,
    keep,
  );
  if (row === undefined) return 0;
  const { client_id: clientId } = row;
  await lockReceiver(tx, clientId);
  const removed = await tx.run(
    `DELETE FROM security_events WHERE client_id = ? AND (seq, part) IN
       (SELECT seq, part FROM security_events WHERE client_id = ? AND at < now_ms() - ? ORDER BY seq, part LIMIT ?)`,
    clientId,
    clientId,
    keep,
    limit,
  );
  await tx.run(
    'UPDATE receivers SET waiting = waiting - ?, lost = lost + ? WHERE client_id = ?',
    removed,
    removed,
    clientId,
  );
  return removed;
}
