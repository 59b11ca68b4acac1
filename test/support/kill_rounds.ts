// Kill -9, again and again, of one data directory's auth server while sixteen writers are at it; after each kill a copy of the
// files, as the dead process left them, is opened and asked for everything that was ever acknowledged.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { newMemory, type WriterMemory, writeKinds, writeUntilKilled } from './acknowledged_writes.ts';
import { spawnAuth } from './spawned_auth.ts';

export interface KillResult {
  readonly acknowledged: number;
  /** Acknowledged writes by kind. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly fewestInARound: number;
  /** Acknowledged, and not in the database. */
  readonly lost: readonly string[];
  /** What `PRAGMA integrity_check` said, other than ok. */
  readonly damage: readonly string[];
  /** Refreshes that were refused after a kill: somebody was signed out. */
  readonly signedOut: readonly string[];
  /** Hashing processes that outlived their server. */
  readonly orphans: number;
}

export interface KillOptions {
  readonly rounds: number;
  /** Acknowledged writes before each kill, at the least; and one of every kind. */
  readonly writes: number;
  readonly random: () => number;
}

const many = 1_000_000;
const limits = {
  attemptsPerAccount: many,
  attemptsPerAddress: many,
  attemptsPerAccountAndAddress: many,
  refreshesPerMinute: many,
};

export async function runKillRounds(options: KillOptions): Promise<KillResult> {
  const parent = mkdtempSync(join(tmpdir(), 'lk-kill-'));
  const dataDir = join(parent, 'data');
  const memory = newMemory();
  const result = {
    fewest: Number.POSITIVE_INFINITY,
    lost: [] as string[],
    damage: [] as string[],
    orphans: 0,
  };
  try {
    for (let round = 0; round < options.rounds; round += 1) {
      const server = await spawnAuth({ dataDir, refreshGrace: 0, passwords: { queue: 1000 }, limits });
      if (server.refused !== undefined) throw new Error(`no start after kill ${round}: ${server.message}`);
      const children = childrenOf(server.child.pid ?? 0);
      const extra = Math.floor(options.random() * 40);
      const written = await writeUntilKilled(
        server.address,
        memory,
        (acknowledged, kinds) => acknowledged >= options.writes + extra && kinds === writeKinds,
        server.kill,
      );
      result.fewest = Math.min(result.fewest, written);
      examine(dataDir, join(parent, 'copy'), memory, result);
      result.orphans += await countAlive(children);
    }
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
  const kinds: Record<string, number> = {};
  for (const { kind } of memory.acknowledged) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return {
    acknowledged: memory.acknowledged.length,
    kinds,
    fewestInARound: result.fewest,
    lost: result.lost,
    damage: result.damage,
    signedOut: memory.signedOut,
    orphans: result.orphans,
  };
}

function examine(
  dataDir: string,
  copy: string,
  memory: WriterMemory,
  into: { lost: string[]; damage: string[] },
): void {
  cpSync(dataDir, copy, { recursive: true, filter: (source) => !source.endsWith('.sock') });
  const database = new DatabaseSync(join(copy, 'latchkey.db'));
  for (const row of database.prepare('PRAGMA integrity_check').all()) {
    const verdict = String(row['integrity_check']);
    if (verdict !== 'ok') into.damage.push(verdict);
  }
  for (const { kind, holds } of memory.acknowledged) if (!holds(database)) into.lost.push(kind);
  database.close();
  rmSync(copy, { recursive: true });
}

/** The process ids of its children, where /proc tells. */
function childrenOf(pid: number): number[] {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return [];
  return readdirSync(tasks).flatMap((task) =>
    readFileSync(join(tasks, task, 'children'), 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number),
  );
}

/** How many are still running a little later: a child needs a moment to notice that its parent is gone. */
async function countAlive(pids: readonly number[]): Promise<number> {
  const isAlive = (pid: number) =>
    existsSync(`/proc/${pid}`) && !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  for (let i = 0; i < 400 && pids.some(isAlive); i += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  return pids.filter(isAlive).length;
}
