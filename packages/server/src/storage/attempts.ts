// Counters of sign-in attempts in fixed windows. Counting is one atomic statement and happens before any hashing, so
// that parallel guesses cannot slip past the limit; the counters are rows, so that they survive a restart.
import type { Transaction } from './database.ts';

export interface AttemptCount {
  readonly count: number;
  /** Milliseconds until the window ends. */
  readonly resetsIn: number;
}

/** Adds one to the counter, beginning a new window when the old one is over. */
export async function countAttempt(tx: Transaction, name: string, window: number): Promise<AttemptCount> {
  const row = await tx.one<{ count: number; resets_in: number }>(
    `INSERT INTO attempts (name, count, since) VALUES (?, 1, now_ms())
     ON CONFLICT (name) DO UPDATE SET
       count = CASE WHEN attempts.since <= now_ms() - ? THEN 1 ELSE attempts.count + 1 END,
       since = CASE WHEN attempts.since <= now_ms() - ? THEN now_ms() ELSE attempts.since END
     RETURNING count, since + ? - now_ms() AS resets_in`,
    name,
    window,
    window,
    window,
  );
  return { count: row?.count ?? 1, resetsIn: Math.max(0, row?.resets_in ?? window) };
}

/** A right password gives its count back. */
export async function giveBackAttempt(tx: Transaction, name: string): Promise<void> {
  await tx.run('UPDATE attempts SET count = count - 1 WHERE name = ? AND count > 0', name);
}

/** Removes counters whose window ended long ago, some at a time. */
export async function sweepAttempts(tx: Transaction, olderThan: number, limit: number): Promise<number> {
  return await tx.run(
    'DELETE FROM attempts WHERE name IN (SELECT name FROM attempts WHERE since < now_ms() - ? LIMIT ?)',
    olderThan,
    limit,
  );
}
