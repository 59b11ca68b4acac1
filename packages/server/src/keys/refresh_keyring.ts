// The refresh keys of this installation, opened. The newest makes tokens; the older ones only open them, until every
// session that may hold such a token has been refreshed or has died.
import { randomBytes } from 'node:crypto';
import type { Database } from '../storage/database.ts';
import {
  deleteRefreshKey,
  insertRefreshKey,
  listRefreshKeys,
  type RefreshKeyRecord,
} from '../storage/refresh_keys.ts';
import type { MasterKey } from './master_key.ts';
import type { RefreshKey } from './refresh_token.ts';

export interface RefreshKeyring {
  readonly current: RefreshKey;
  readonly all: ReadonlyMap<number, RefreshKey>;
  /** Makes a new key when the newest is older than `every`, drops those no live session can need, and reads them anew. */
  rotate(now: number): Promise<void>;
}

export interface RefreshKeyPolicy {
  /** Milliseconds. */
  readonly every: number;
  /** Milliseconds: the absolute age of a session. */
  readonly sessionMax: number;
}

/** Ids are one byte: keys must come so slowly that an id is free again when its turn comes round. */
const keysInALife = 128;

const idOf = (id: number) => `refresh key ${id}`;

export async function openRefreshKeyring(
  database: Database,
  masterKey: MasterKey,
  policy: RefreshKeyPolicy,
): Promise<RefreshKeyring> {
  const every = Math.max(policy.every, policy.sessionMax / keysInALife);
  let all = new Map<number, RefreshKey>();
  let current: RefreshKey | undefined;

  async function read(): Promise<RefreshKeyRecord[]> {
    const records = await listRefreshKeys(database);
    all = new Map(
      records.map((record) => [
        record.id,
        { id: record.id, secret: masterKey.unwrap(record.secret, idOf(record.id)) },
      ]),
    );
    const newest = records.at(-1);
    current = newest && all.get(newest.id);
    return records;
  }

  async function rotate(now: number): Promise<void> {
    const records = await read();
    const newest = records.at(-1);
    const expired = records
      .slice(0, -1)
      .filter((_, i) => now > (records[i + 1]?.createdAt ?? now) + policy.sessionMax);
    const due = newest === undefined || now >= newest.createdAt + every;
    if (!due && expired.length === 0) return;
    await database.write(async (tx) => {
      // Read again inside the transaction: another instance may have made the same key a moment ago.
      const last = (await listRefreshKeys(tx)).at(-1);
      for (const record of expired) await deleteRefreshKey(tx, record.id);
      if (!due || last?.id !== newest?.id) return;
      const id = ((newest?.id ?? -1) + 1) % 256;
      await insertRefreshKey(tx, id, masterKey.wrap(randomBytes(32), idOf(id)));
    });
    await read();
  }

  await rotate((await database.one<{ now: number }>('SELECT now_ms() AS now'))?.now ?? 0);
  return {
    get current() {
      if (current === undefined) throw new Error('there is no refresh key');
      return current;
    },
    get all() {
      return all;
    },
    rotate,
  };
}
