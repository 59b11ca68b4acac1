// The keys that make and check refresh tokens, wrapped by the master key. Ids are one byte and go round.
import type { Queries, Transaction } from './database.ts';

export interface RefreshKeyRecord {
  readonly id: number;
  readonly secret: string;
  readonly createdAt: number;
}

export async function listRefreshKeys(queries: Queries): Promise<RefreshKeyRecord[]> {
  const rows = await queries.all<{ id: number; secret: string; created_at: number }>(
    'SELECT id, secret, created_at FROM refresh_keys ORDER BY created_at, id',
  );
  return rows.map((row) => ({ id: row.id, secret: row.secret, createdAt: row.created_at }));
}

export async function insertRefreshKey(tx: Transaction, id: number, secret: string): Promise<void> {
  await tx.run('INSERT INTO refresh_keys (id, secret, created_at) VALUES (?, ?, now_ms())', id, secret);
}

export async function deleteRefreshKey(tx: Transaction, id: number): Promise<void> {
  await tx.run('DELETE FROM refresh_keys WHERE id = ?', id);
}
