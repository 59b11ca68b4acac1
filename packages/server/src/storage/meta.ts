// Single values about the installation itself: the signals epoch, the master key's check value, the administrative
// permissions that the administrator's role has been given.
import type { Queries, Transaction } from './database.ts';

export type MetaName = 'epoch' | 'master_key_check' | 'max_token_life' | 'admin_permissions';

export async function readMeta(queries: Queries, name: MetaName): Promise<string | undefined> {
  return (await queries.one<{ value: string }>('SELECT value FROM meta WHERE name = ?', name))?.value;
}

export async function writeMeta(tx: Transaction, name: MetaName, value: string): Promise<void> {
  await tx.run(
    'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    name,
    value,
  );
}
