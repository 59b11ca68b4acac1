// The longest life a token may have: the most that any instance announced in the last hour. A mark must outlive every token
// it can hit, also those an instance made before its settings were shortened.
import type { Database } from '../storage/database.ts';
import { readMeta, writeMeta } from '../storage/meta.ts';

interface Announcement {
  readonly life: number;
  readonly at: number;
}

const hour = 3_600_000;

export interface TokenLife {
  /** Seconds. */
  longest(): Promise<number>;
  /** Says again, at least every half hour, what this instance issues. */
  announce(): Promise<void>;
}

/** `life`: seconds. */
export async function createTokenLife(database: Database, life: number): Promise<TokenLife> {
  let known = life;

  async function announce(): Promise<void> {
    await database.write(async (tx) => {
      const now = (await tx.one<{ now: number }>('SELECT now_ms() AS now'))?.now ?? 0;
      const before = JSON.parse((await readMeta(tx, 'max_token_life')) ?? '[]') as Announcement[];
      const kept = before.filter((entry) => entry.life !== life && now - entry.at < hour);
      await writeMeta(tx, 'max_token_life', JSON.stringify([...kept, { life, at: now }]));
      known = Math.max(life, ...kept.map((entry) => entry.life));
    });
  }

  await announce();
  return { longest: async () => known, announce };
}
