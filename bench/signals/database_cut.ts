// An auth server that is cut off from its database while its verifiers still reach it. A file cannot be unplugged, so a second connection
// puts its tables out of its reach under other names: from that moment every statement of the server fails, reads too. "Elsewhere"
// revocations go on, as those of another instance would: this connection still sees the tables.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface DatabaseCut {
  /** Revokes these sessions, with the next numbers and in one commit. Their marks live for ten minutes. */
  readonly revokeElsewhere: (sids: readonly string[]) => void;
  readonly heal: () => void;
}

const tables = ['counters', 'signals', 'users', 'sessions', 'meta'] as const;
const hidden = (table: string): string => `${table}_out_of_reach`;

export function cutDatabase(dataDir: string): DatabaseCut {
  const database = new DatabaseSync(join(dataDir, 'latchkey.db'));
  const rename = (from: (table: string) => string, to: (table: string) => string): void => {
    const statements = tables.map((table) => `ALTER TABLE ${from(table)} RENAME TO ${to(table)};`);
    database.exec(`BEGIN IMMEDIATE; ${statements.join(' ')} COMMIT`);
  };
  database.exec('PRAGMA busy_timeout = 5000');
  rename((table) => table, hidden);
  return {
    revokeElsewhere(sids) {
      const next = database.prepare(
        `UPDATE ${hidden('counters')} SET value = value + 1 WHERE name = 'signal' RETURNING value`,
      );
      const insert = database.prepare(
        `INSERT INTO ${hidden('signals')} (seq, tag, at, kind, by_what, value, until) VALUES (?, ?, ?, 'revoke', 'sid', ?, ?)`,
      );
      database.exec('BEGIN IMMEDIATE');
      for (const sid of sids) {
        const seq = Number(next.get()?.['value']);
        insert.run(seq, randomBytes(6).toString('base64url'), Date.now(), sid, Date.now() + 600_000);
      }
      database.exec('COMMIT');
    },
    heal() {
      rename(hidden, (table) => table);
      database.close();
    },
  };
}
