// Looks into the database of a running or stopped auth server, the way a thief of the file would: read only, past the server.
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

export type FileRow = Readonly<Record<string, SQLInputValue>>;

export function rowsOf(dataDir: string, sql: string, ...parameters: SQLInputValue[]): FileRow[] {
  const database = new DatabaseSync(join(dataDir, 'latchkey.db'), { readOnly: true });
  try {
    return database.prepare(sql).all(...parameters) as FileRow[];
  } finally {
    database.close();
  }
}

/** How many rows each table holds: what must not change when nothing may be written. */
export function rowCounts(dataDir: string): Record<string, number> {
  const tables = ['sessions', 'audit', 'signals', 'users', 'attempts'];
  return Object.fromEntries(
    tables.map((table) => [table, Number(rowsOf(dataDir, `SELECT count(*) AS n FROM ${table}`)[0]?.['n'])]),
  );
}
