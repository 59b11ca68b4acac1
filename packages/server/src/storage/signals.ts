// The signals table: what running tokens must learn of. A signal is written in the transaction of the change that
// causes it, as its last statement: taking the next number locks the counter row until the commit, so numbers are
// gapless and in commit order. Sign-in and refresh never come here.
import { randomBytes } from 'node:crypto';
import type { Queries, Transaction } from './database.ts';

export type MarkBy = 'jti' | 'sid' | 'client' | 'kid' | 'sub' | 'role';

export interface Mark {
  readonly kind: 'revoke' | 'stale';
  readonly by: MarkBy;
  readonly value: string;
  /** Hits tokens whose `ver` (by sub) or `rver` (by role) is lower. */
  readonly below?: number;
  /** Why, for third parties (events/caep.ts); readers of the stream are not told. */
  readonly cause?: string;
}

export interface Signal {
  readonly seq: number;
  readonly tag: string;
  readonly kind: 'revoke' | 'stale' | 'keys';
  readonly by: MarkBy | null;
  readonly value: string | null;
  readonly below: number | null;
  /** Milliseconds since 1970; null lives for ever. */
  readonly until: number | null;
}

interface SignalRow {
  seq: number;
  tag: string;
  kind: Signal['kind'];
  by_what: MarkBy | null;
  value: string | null;
  below: number | null;
  until: number | null;
}

const columns = 'seq, tag, kind, by_what, value, below, until';

function signalOf(row: SignalRow): Signal {
  return {
    seq: row.seq,
    tag: row.tag,
    kind: row.kind,
    by: row.by_what,
    value: row.value,
    below: row.below,
    until: row.until,
  };
}

/** `life`: milliseconds that the mark lives after this commit; null for ever. Answers the signal's number. */
export async function insertSignal(
  tx: Transaction,
  signal: Mark | { kind: 'keys' },
  life: number | null,
): Promise<number> {
  const mark = signal.kind === 'keys' ? undefined : signal;
  const seq = await nextSequence(tx);
  await tx.run(
    `INSERT INTO signals (seq, tag, at, kind, by_what, value, below, until)
     VALUES (?, ?, now_ms(), ?, ?, ?, ?, now_ms() + ?)`,
    seq,
    randomBytes(6).toString('base64url'),
    signal.kind,
    mark?.by ?? null,
    mark?.value ?? null,
    mark?.below ?? null,
    life,
  );
  return seq;
}

async function nextSequence(tx: Transaction): Promise<number> {
  const row = await tx.one<{ value: number }>(
    "UPDATE counters SET value = value + 1 WHERE name = 'signal' RETURNING value",
  );
  if (row === undefined) throw new Error('the signal counter is missing');
  return row.value;
}

/** Where the table stands: the newest signal and the database's time, from one statement. */
export async function readHead(queries: Queries): Promise<{ seq: number; tag: string; asOf: number }> {
  const row = await queries.one<{ seq: number; tag: string | null; as_of: number }>(
    `SELECT value AS seq, (SELECT tag FROM signals WHERE seq = counters.value) AS tag, now_ms() AS as_of FROM counters WHERE name = 'signal'`,
  );
  if (row === undefined) throw new Error('the signal counter is missing');
  return { seq: row.seq, tag: row.tag ?? 'start', asOf: row.as_of };
}

export async function signalsAfter(queries: Queries, seq: number, limit: number): Promise<Signal[]> {
  const rows = await queries.all<SignalRow>(
    `SELECT ${columns} FROM signals WHERE seq > ? ORDER BY seq LIMIT ?`,
    seq,
    limit,
  );
  return rows.map(signalOf);
}

/** Whether these say that signing keys have come or gone. */
export function touchesKeys(signals: readonly Signal[]): boolean {
  return signals.some(({ kind, by }) => kind === 'keys' || by === 'kid');
}

export async function findSignal(queries: Queries, seq: number): Promise<Signal | undefined> {
  const row = await queries.one<SignalRow>(`SELECT ${columns} FROM signals WHERE seq = ?`, seq);
  return row && signalOf(row);
}

export async function isMarked(queries: Queries, by: MarkBy, value: string): Promise<boolean> {
  const row = await queries.one<{ seq: number }>(
    "SELECT seq FROM signals WHERE kind = 'revoke' AND by_what = ? AND value = ? AND (until IS NULL OR until > now_ms()) LIMIT 1",
    by,
    value,
  );
  return row !== undefined;
}

/** Whether one of these roles lost a permission since version `rver` of the role table. */
export async function isStaleByRole(
  queries: Queries,
  roles: readonly string[],
  rver: number,
): Promise<boolean> {
  if (roles.length === 0) return false;
  const row = await queries.one<{ seq: number }>(
    `SELECT seq FROM signals WHERE kind = 'stale' AND by_what = 'role' AND value IN (${roles.map(() => '?').join(', ')})
       AND below > ? AND (until IS NULL OR until > now_ms()) LIMIT 1`,
    ...roles,
    rver,
  );
  return row !== undefined;
}

/** Removes marks that cannot hit anything any more; never the newest row, which carries the position's tag. */
export async function sweepSignals(tx: Transaction, limit: number): Promise<number> {
  return await tx.run(
    `DELETE FROM signals WHERE seq IN (SELECT seq FROM signals
       WHERE (until < now_ms() OR (kind = 'keys' AND at < now_ms() - 3600000))
         AND seq < (SELECT value FROM counters WHERE name = 'signal') ORDER BY seq LIMIT ?)`,
    limit,
  );
}
