// Receivers: registered clients that are told of security events, and how far delivery to each of them has come. `waiting`
// counts its rows in security_events and changes only together with them, so that nothing is ever counted on the way in.
import type { Queries, Transaction } from './database.ts';
import { splitNames } from './users.ts';

export type Delivery = 'poll' | 'push';

export interface Receiver {
  readonly clientId: string;
  readonly delivery: Delivery;
  /** Where to push; null for one that polls. */
  readonly endpoint: string | null;
  /** The Authorization header's value as ciphertext (keys/master_key.ts). */
  readonly authorization: string | null;
  readonly events: readonly string[];
  readonly waiting: number;
  /** Events that left without having been taken: there was no room, or they were too old. */
  readonly lost: number;
  /** Attempts that failed, one after the other, since the last that succeeded. */
  readonly failures: number;
  readonly lastError: string | null;
  readonly nextAttemptAt: number;
  /** Pushing has been given up until the receiver is registered again; events are kept. */
  readonly paused: boolean;
  readonly createdAt: number;
}

interface ReceiverRow {
  client_id: string;
  delivery: Delivery;
  endpoint: string | null;
  authorization_header: string | null;
  events: string;
  waiting: number;
  lost: number;
  failures: number;
  last_error: string | null;
  next_attempt_at: number;
  paused: number;
  created_at: number;
}

const columns = `client_id, delivery, endpoint, authorization_header, events, waiting, lost, failures, last_error,
  next_attempt_at, paused, created_at`;

function receiverOf(row: ReceiverRow): Receiver {
  return {
    clientId: row.client_id,
    delivery: row.delivery,
    endpoint: row.endpoint,
    authorization: row.authorization_header,
    events: splitNames(row.events),
    waiting: row.waiting,
    lost: row.lost,
    failures: row.failures,
    lastError: row.last_error,
    nextAttemptAt: row.next_attempt_at,
    paused: row.paused === 1,
    createdAt: row.created_at,
  };
}

export async function findReceiver(queries: Queries, clientId: string): Promise<Receiver | undefined> {
  const row = await queries.one<ReceiverRow>(
    `SELECT ${columns} FROM receivers WHERE client_id = ?`,
    clientId,
  );
  return row && receiverOf(row);
}

export async function listReceivers(queries: Queries, after: string, limit: number): Promise<Receiver[]> {
  const rows = await queries.all<ReceiverRow>(
    `SELECT ${columns} FROM receivers WHERE client_id > ? ORDER BY client_id LIMIT ?`,
    after,
    limit,
  );
  return rows.map(receiverOf);
}

export interface ReceiverTotals {
  readonly receivers: number;
  readonly pushed: number;
  readonly waiting: number;
  readonly lost: number;
}

export async function receiverTotals(queries: Queries): Promise<ReceiverTotals> {
  const row = await queries.one<ReceiverTotals>(
    `SELECT count(*) AS receivers, coalesce(sum(CASE WHEN delivery = 'push' THEN 1 ELSE 0 END), 0) AS pushed,
       coalesce(sum(waiting), 0) AS waiting, coalesce(sum(lost), 0) AS lost FROM receivers`,
  );
  return row ?? { receivers: 0, pushed: 0, waiting: 0, lost: 0 };
}

export type ReceiverSettings = Pick<
  Receiver,
  'clientId' | 'delivery' | 'endpoint' | 'authorization' | 'events'
>;

/** Other settings for a receiver that exists; what waits for it stays, and pushing begins afresh. */
export async function updateReceiver(tx: Transaction, receiver: ReceiverSettings): Promise<boolean> {
  const changed = await tx.run(
    `UPDATE receivers SET delivery = ?, endpoint = ?, authorization_header = ?, events = ?, failures = 0,
       failing_since = NULL, last_error = NULL, next_attempt_at = 0, paused = 0 WHERE client_id = ?`,
    receiver.delivery,
    receiver.endpoint,
    receiver.authorization,
    receiver.events.join(' '),
    receiver.clientId,
  );
  return changed === 1;
}

/** `tag`: what makes its event ids differ from those of other receivers. Answers false when there are `most` already. */
export async function insertReceiver(
  tx: Transaction,
  receiver: ReceiverSettings,
  tag: string,
  most: number,
): Promise<boolean> {
  const added = await tx.run(
    `INSERT INTO receivers (client_id, tag, delivery, endpoint, authorization_header, events, waiting, lost, overflowing,
       failures, next_attempt_at, paused, lease_until, created_at)
     SELECT id, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, now_ms() FROM clients
     WHERE id = ? AND (SELECT count(*) FROM receivers) < ?`,
    tag,
    receiver.delivery,
    receiver.endpoint,
    receiver.authorization,
    receiver.events.join(' '),
    receiver.clientId,
    most,
  );
  return added === 1;
}

/** Everything that waits for it goes too. */
export async function deleteReceiver(tx: Transaction, clientId: string): Promise<boolean> {
  return (await tx.run('DELETE FROM receivers WHERE client_id = ?', clientId)) === 1;
}

const due = `delivery = 'push' AND waiting > 0 AND paused = 0 AND next_attempt_at <= now_ms() AND lease_until <= now_ms()`;

/** Those that something waits for, that may be tried now, and that no instance is delivering to. */
export async function dueReceivers(queries: Queries, limit: number): Promise<string[]> {
  const rows = await queries.all<{ client_id: string }>(
    `SELECT client_id FROM receivers WHERE ${due} ORDER BY next_attempt_at, client_id LIMIT ?`,
    limit,
  );
  return rows.map((row) => row.client_id);
}

/** Takes the right to deliver for `time` milliseconds; undefined when somebody else has it or nothing is to be done. */
export async function leaseReceiver(
  tx: Transaction,
  clientId: string,
  lease: string,
  time: number,
): Promise<Receiver | undefined> {
  const row = await tx.one<ReceiverRow>(
    `UPDATE receivers SET lease = ?, lease_until = now_ms() + ? WHERE client_id = ? AND ${due} RETURNING ${columns}`,
    lease,
    time,
    clientId,
  );
  return row && receiverOf(row);
}

/** Gives the right back, unless somebody else has it by now. */
export async function releaseReceiver(tx: Transaction, clientId: string, lease: string): Promise<void> {
  await tx.run(
    'UPDATE receivers SET lease = NULL, lease_until = 0 WHERE client_id = ? AND lease = ?',
    clientId,
    lease,
  );
}

/** For a database that one process at a time can have: whoever held these is gone. */
export async function releaseAllReceivers(tx: Transaction): Promise<void> {
  await tx.run('UPDATE receivers SET lease = NULL, lease_until = 0 WHERE lease IS NOT NULL');
}

export async function noteSuccess(tx: Transaction, clientId: string): Promise<void> {
  await tx.run(
    `UPDATE receivers SET failures = 0, failing_since = NULL, last_error = NULL, next_attempt_at = 0
     WHERE client_id = ? AND (failures > 0 OR last_error IS NOT NULL)`,
    clientId,
  );
}

/** What a receiver that polls says of an event that it cannot take yet. */
export async function noteError(tx: Transaction, clientId: string, error: string): Promise<void> {
  await tx.run('UPDATE receivers SET last_error = ? WHERE client_id = ?', error, clientId);
}

/** `delay`, `patience`: milliseconds. Answers whether pushing has been given up with this failure. */
export async function noteFailure(
  tx: Transaction,
  clientId: string,
  failure: { readonly error: string; readonly delay: number; readonly patience: number },
): Promise<boolean> {
  const row = await tx.one<{ paused: number }>(
    `UPDATE receivers SET failures = failures + 1, failing_since = coalesce(failing_since, now_ms()), last_error = ?,
       next_attempt_at = now_ms() + ?, paused = CASE WHEN failing_since <= now_ms() - ? THEN 1 ELSE 0 END
     WHERE client_id = ? RETURNING paused`,
    failure.error,
    failure.delay,
    failure.patience,
    clientId,
  );
  return row?.paused === 1;
}
