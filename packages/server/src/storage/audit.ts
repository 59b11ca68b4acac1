// The audit trail: written in the same transaction as the change it tells of. Ids sort by time.
import { randomBytes } from 'node:crypto';
import type { Queries, Transaction } from './database.ts';

/** Who asked, from where: goes into every audit row. */
export interface Origin {
  /** A user id, a client id, `operator` (the command line), `system`, or `anonymous`. */
  readonly actor: string;
  readonly ip: string;
  readonly requestId: string;
}

export interface AuditEntry {
  /** What happened, as noun.verb: `session.start`, `user.disable`, … */
  readonly action: string;
  readonly target: string;
  readonly outcome: 'success' | 'failure';
  readonly reason?: string;
}

export interface AuditRecord extends AuditEntry, Origin {
  readonly id: string;
  readonly at: number;
}

/** 48 bits of time and 80 random ones, in hexadecimal: sorts by time, collides never. */
function auditId(now: number): string {
  return now.toString(16).padStart(12, '0') + randomBytes(10).toString('hex');
}

export async function insertAudit(tx: Transaction, origin: Origin, entry: AuditEntry): Promise<void> {
  const now = (await tx.one<{ now: number }>('SELECT now_ms() AS now'))?.now ?? 0;
  await tx.run(
    'INSERT INTO audit (id, at, actor, action, target, outcome, reason, ip, request_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    auditId(now),
    now,
    origin.actor,
    entry.action,
    entry.target,
    entry.outcome,
    entry.reason ?? null,
    origin.ip,
    origin.requestId,
  );
}

export interface AuditFilter {
  readonly actor?: string;
  readonly target?: string;
  readonly action?: string;
}

/** A page of the trail, newest first; `after` is the id of the last row seen, or empty. */
export async function listAudit(
  queries: Queries,
  filter: AuditFilter,
  after: string,
  limit: number,
): Promise<AuditRecord[]> {
  const conditions = ["(? = '' OR id < ?)"];
  const values = [after, after];
  for (const name of ['actor', 'target', 'action'] as const) {
    const value = filter[name];
    if (value !== undefined) conditions.push(`${name} = ?`) && values.push(value);
  }
  const rows = await queries.all<{
    id: string;
    at: number;
    actor: string;
    action: string;
    target: string;
    outcome: 'success' | 'failure';
    reason: string | null;
    ip: string;
    request_id: string;
  }>(`SELECT * FROM audit WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT ?`, ...values, limit);
  return rows.map(({ request_id, reason, ...row }) => ({
    ...row,
    requestId: request_id,
    ...(reason === null ? {} : { reason }),
  }));
}
