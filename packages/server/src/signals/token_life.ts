// The longest life a token may have: the most that any instance announced in the last hour. A mark must outlive every token
// it can hit, also those an instance made before its settings were shortened, and those of another instance: so what counts
// stands in the database, and an instance announces before it issues.
import type { Database, Queries } from '../storage/database.ts';
import { readMeta, writeMeta } from '../storage/meta.ts';

interface Announcement {
  readonly life: number;
  readonly at: number;
}

const hour = 3_600_000;

export interface TokenLife {
  /** Seconds. Inside a transaction it is asked through that. */
  longest(queries?: Queries): Promise<number>;
  /** Says again, at least every half hour, what this instance issues. */
  announce(): Promise<void>;
}

/** `life`: seconds. */
export async function createTokenLife(database: Database, life: number): Promise<TokenLife> {
  async function announcements(queries: Queries): Promise<{ now: number; recent: Announcement[] }> {
    const now = (await queries.one<{ now: number }>('SELECT now_ms() AS now'))?.now ?? 0;
    const known = JSON.parse((await readMeta(queries, 'max_token_life')) ?? '[]') as Announcement[];
    return { now, recent: known.filter((entry) => now - entry.at < hour) };
  }

  async function announce(): Promise<void> {
    await database.write(async (tx) => {
      const { now, recent } = await announcements(tx);
      const others = recent.filter((entry) => entry.life !== life);
      await writeMeta(tx, 'max_token_life', JSON.stringify([...others, { life, at: now }]));
    });
  }

  await announce();
  return {
    async longest(queries = database) {
      const { recent } = await announcements(queries);
      return Math.max(life, ...recent.map((entry) => entry.life));
    },
    announce,
  };
}
