// What the machine allows at most: durable commits of the one row that a refresh writes, and argon2id hashes.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { hash } from '@node-rs/argon2';
import { scratchFolder } from '../harness/children.ts';
import { cores } from '../harness/machine.ts';
import { firstPassword } from './people.ts';

/** Durable row updates a second, `group` of them in each transaction. */
export function rawCommitRate(group: number, time: number): number {
  const database = new DatabaseSync(join(scratchFolder('raw'), 'raw.db'));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  database.exec(
    'CREATE TABLE sessions (id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, rotated_at INTEGER)',
  );
  const insert = database.prepare('INSERT INTO sessions VALUES (?, 0, 0)');
  database.exec('BEGIN');
  for (let id = 0; id < 1000; id += 1) insert.run(id);
  database.exec('COMMIT');
  const update = database.prepare(
    'UPDATE sessions SET generation = generation + 1, rotated_at = unixepoch() WHERE id = ? RETURNING generation',
  );
  const [begin, commit] = [database.prepare('BEGIN IMMEDIATE'), database.prepare('COMMIT')];
  const start = performance.now();
  let written = 0;
  while (performance.now() - start < time) {
    begin.run();
    for (let i = 0; i < group; i += 1) update.get((written + i) % 1000);
    commit.run();
    written += group;
  }
  const rate = (written * 1000) / (performance.now() - start);
  database.close();
  return rate;
}

const argon2id = 2;

/** Hashes a second on the whole machine, as many in flight as there are cores, with the default parameters. */
export async function rawHashRate(time: number): Promise<number> {
  const parameters = { algorithm: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
  const start = performance.now();
  let hashes = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - start < time) {
      await hash(firstPassword, parameters);
      hashes += 1;
    }
  };
  await Promise.all(Array.from({ length: cores }, lane));
  return (hashes * 1000) / (performance.now() - start);
}
