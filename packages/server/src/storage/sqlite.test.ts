// What is SQLite's own: group commit with a savepoint each, durability settings, and a full disk. What every engine must do
// is in test/conformance/storage_suite.ts.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { type Database, DatabaseUnavailable } from './database.ts';
import { openSqlite } from './sqlite.ts';

const directory = mkdtempSync(join(tmpdir(), 'lk-sqlite-'));
const opened: Database[] = [];
after(async () => {
  for (const database of opened) await database.close();
  rmSync(directory, { recursive: true });
});

let files = 0;

async function fresh(maxWaiting?: number): Promise<{ database: Database; file: string }> {
  const file = join(directory, `${files++}.db`);
  const database = openSqlite({ file, now: () => 42, ...(maxWaiting === undefined ? {} : { maxWaiting }) });
  opened.push(database);
  await database.write(async (tx) => void (await tx.run('CREATE TABLE t (n BIGINT PRIMARY KEY, data TEXT)')));
  return { database, file };
}

const insert = (database: Database, n: number, data: string | null = null) =>
  database.write((tx) => tx.run('INSERT INTO t (n, data) VALUES (?, ?)', n, data));

const count = async (database: Database) =>
  (await database.one<{ n: number }>('SELECT count(*) AS n FROM t'))?.n;

test('the file is WAL, nobody else can read it, and its log neither', async () => {
  const { database, file } = await fresh();
  await insert(database, 1);
  assert.equal((await database.one<{ journal_mode: string }>('PRAGMA journal_mode'))?.journal_mode, 'wal');
  for (const name of [file, `${file}-wal`, `${file}-shm`]) assert.equal(statSync(name).mode & 0o077, 0, name);
});

test('writing is fully synchronous', async () => {
  const { database } = await fresh();
  const mode = await database.write((tx) => tx.one<{ synchronous: number }>('PRAGMA synchronous'));
  assert.equal(mode?.synchronous, 2);
});

test('writes of one turn share a commit: another connection sees all of them or none', async () => {
  const { database, file } = await fresh();
  const watcher = new DatabaseSync(file, { readOnly: true });
  const seen = new Set<unknown>();
  const writes = Array.from({ length: 20 }, (_, n) =>
    database.write(async (tx) => {
      await tx.run('INSERT INTO t (n) VALUES (?)', n);
      seen.add(watcher.prepare('SELECT count(*) AS n FROM t').get()?.['n']);
    }),
  );
  await Promise.all(writes);
  watcher.close();
  assert.deepEqual([...seen], [0]);
  assert.equal(await count(database), 20);
});

test('a write that fails leaves the others of its commit whole', async () => {
  const { database } = await fresh();
  const results = await Promise.allSettled(
    Array.from({ length: 30 }, (_, n) =>
      database.write(async (tx) => {
        await tx.run('INSERT INTO t (n) VALUES (?)', n);
        if (n % 3 === 0) throw new Error('refused');
      }),
    ),
  );
  assert.equal(results.filter(({ status }) => status === 'rejected').length, 10);
  assert.equal(await count(database), 20);
});

test('too many waiting writes are refused at once, the others are done', async () => {
  const { database } = await fresh(5);
  const results = await Promise.allSettled(Array.from({ length: 9 }, (_, n) => insert(database, n)));
  const refused = results.filter((result) => result.status === 'rejected');
  assert.equal(refused.length, 4);
  for (const { reason } of refused) assert.ok(reason instanceof DatabaseUnavailable);
  assert.equal(await count(database), 5);
});

test('closing finishes what waits and refuses what comes', async () => {
  const { database, file } = await fresh();
  const writes = Promise.all(Array.from({ length: 10 }, (_, n) => insert(database, n)));
  opened.splice(opened.indexOf(database), 1);
  await database.close();
  await writes;
  await assert.rejects(insert(database, 99), DatabaseUnavailable);
  const again = new DatabaseSync(file);
  assert.equal(again.prepare('SELECT count(*) AS n FROM t').get()?.['n'], 10);
  again.close();
});

test('a full disk refuses with a typed error, loses nothing acknowledged, and goes on when there is room', async () => {
  const { database, file } = await fresh();
  const kept: number[] = [];
  // SQLite's own page limit answers as a full disk does (SQLITE_FULL).
  const limit = (pages: number) => database.write((tx) => tx.all(`PRAGMA max_page_count = ${pages}`));
  await limit(20);
  const refused: PromiseRejectedResult[] = [];
  for (let first = 0; first < 60; first += 3) {
    const group = [first, first + 1, first + 2].map(async (n) => {
      await insert(database, n, 'x'.repeat(3000));
      kept.push(n);
    });
    refused.push(...(await Promise.allSettled(group)).filter((result) => result.status === 'rejected'));
  }
  assert.ok(refused.length > 0 && kept.length > 0, `${kept.length} kept, ${refused.length} refused`);
  for (const { reason } of refused) assert.ok(reason instanceof DatabaseUnavailable, String(reason));
  await assert.rejects(insert(database, 1000, 'x'.repeat(100_000)), DatabaseUnavailable);
  const stored = (await database.all<{ n: number }>('SELECT n FROM t ORDER BY n')).map(({ n }) => n);
  assert.deepEqual(
    stored,
    [...kept].sort((a, b) => a - b),
  );
  await limit(1_000_000);
  await insert(database, 1001, 'x'.repeat(3000));
  const check = new DatabaseSync(file, { readOnly: true });
  assert.equal(check.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
  check.close();
});
