// SQLite as the embedded engine: WAL, synchronous=FULL, one writing connection, one reading connection.
// Writes that wait at the same moment share one transaction and so one fsync (group commit); each has its own
// savepoint, so that one failing leaves the others whole. Nobody is answered before the commit is on disk.
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  type Database,
  DatabaseUnavailable,
  type Row,
  type Transaction,
  UniqueViolation,
  type Value,
} from './database.ts';

export interface SqliteOptions {
  readonly file: string;
  /** Milliseconds since 1970: what `now_ms()` answers. */
  readonly now: () => number;
  /** Writes that may wait; one more is refused. @default 10000 */
  readonly maxWaiting?: number;
}

interface Job {
  readonly run: (tx: SqliteTransaction) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Settle = () => void;

/** How many writes share one commit at the most: bounds how long the loop is held. */
const groupSize = 128;

class Connection {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  all<R extends object = Row>(sql: string, parameters: readonly Value[]): R[] {
    return this.#attempt(() => this.#prepare(sql).all(...parameters) as R[]);
  }

  one<R extends object = Row>(sql: string, parameters: readonly Value[]): R | undefined {
    return this.#attempt(() => this.#prepare(sql).get(...parameters) as R | undefined);
  }

  run(sql: string, parameters: readonly Value[]): number {
    return this.#attempt(() => Number(this.#prepare(sql).run(...parameters).changes));
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw translated(error);
    }
  }
}

/** SQLite's result codes: 5 BUSY, 8 READONLY, 10 IOERR, 11 CORRUPT, 13 FULL, 14 CANTOPEN; 1555 and 2067 are uniqueness. */
function translated(error: unknown): unknown {
  const code = (error as { errcode?: number }).errcode;
  if (code === undefined) return error;
  if (code === 1555 || code === 2067) return new UniqueViolation(error);
  if ([5, 8, 10, 11, 13, 14].includes(code & 0xff))
    return new DatabaseUnavailable('the database refused the operation', error);
  return error;
}

class SqliteTransaction implements Transaction {
  readonly listeners: (() => void)[] = [];
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async all<R extends object = Row>(sql: string, ...parameters: readonly Value[]): Promise<R[]> {
    return this.#connection.all<R>(sql, parameters);
  }

  async one<R extends object = Row>(sql: string, ...parameters: readonly Value[]): Promise<R | undefined> {
    return this.#connection.one<R>(sql, parameters);
  }

  async run(sql: string, ...parameters: readonly Value[]): Promise<number> {
    return this.#connection.run(sql, parameters);
  }

  onCommit(listener: () => void): void {
    this.listeners.push(listener);
  }
}

class SqliteDatabase implements Database {
  readonly engine = 'sqlite';
  readonly #writer: Connection;
  readonly #reader: Connection;
  readonly #maxWaiting: number;
  #waiting: Job[] = [];
  #flushing: Promise<void> | undefined;
  #closed = false;

  constructor(writer: Connection, reader: Connection, maxWaiting: number) {
    this.#writer = writer;
    this.#reader = reader;
    this.#maxWaiting = maxWaiting;
  }

  async all<R extends object = Row>(sql: string, ...parameters: readonly Value[]): Promise<R[]> {
    return this.#reader.all<R>(sql, parameters);
  }

  async one<R extends object = Row>(sql: string, ...parameters: readonly Value[]): Promise<R | undefined> {
    return this.#reader.one<R>(sql, parameters);
  }

  write<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) return reject(new DatabaseUnavailable('the database is closed'));
      if (this.#waiting.length >= this.#maxWaiting)
        return reject(new DatabaseUnavailable('too many writes are waiting'));
      this.#waiting.push({ run: work, resolve: resolve as (value: unknown) => void, reject });
      this.#flushing ??= this.#flushSoon();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#flushing;
    this.#reader.close();
    this.#writer.close();
  }

  /** Waits one turn of the loop, so that everything that arrives in it shares a commit; goes on while more arrives. */
  async #flushSoon(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.#commitGroup(this.#waiting.splice(0, groupSize));
    }
    this.#flushing = undefined;
  }

  async #commitGroup(jobs: readonly Job[]): Promise<void> {
    const settled: Settle[] = [];
    const listeners: (() => void)[] = [];
    try {
      this.#writer.run('BEGIN IMMEDIATE', []);
      for (const job of jobs) settled.push(await this.#runJob(job, listeners));
      this.#writer.run('COMMIT', []);
    } catch (error) {
      this.#rollBack();
      for (const job of jobs) job.reject(error);
      return;
    }
    for (const listener of listeners) listener();
    for (const settle of settled) settle();
  }

  /** Runs one job in its own savepoint; answers what to tell its caller once the group is on disk. */
  async #runJob(job: Job, listeners: (() => void)[]): Promise<Settle> {
    const tx = new SqliteTransaction(this.#writer);
    this.#writer.run('SAVEPOINT job', []);
    try {
      const value = await job.run(tx);
      this.#writer.run('RELEASE job', []);
      listeners.push(...tx.listeners);
      return () => job.resolve(value);
    } catch (error) {
      this.#undoJob(error);
      return () => job.reject(error);
    }
  }

  /** Throws `fault`, and so fails the group, where SQLite has given up the whole transaction by itself (disk full, I/O error). */
  #undoJob(fault: unknown): void {
    try {
      this.#writer.run('ROLLBACK TO job', []);
    } catch {
      throw fault;
    }
    this.#writer.run('RELEASE job', []);
  }

  #rollBack(): void {
    try {
      this.#writer.run('ROLLBACK', []);
    } catch {
      // SQLite has already rolled back by itself (disk full, I/O error): nothing is open any more.
    }
  }
}

/** Opens (or makes) the file. One process at a time may write: see data_dir.ts. */
export function openSqlite(options: SqliteOptions): Database {
  // Password hashes are inside: nobody else's to read, whatever the umask. SQLite gives its WAL the same mode.
  closeSync(openSync(options.file, 'a', 0o600));
  const writer = new DatabaseSync(options.file);
  writer.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 2000',
  );
  const reader = new DatabaseSync(options.file, { readOnly: true });
  for (const connection of [writer, reader]) connection.function('now_ms', () => options.now());
  return new SqliteDatabase(new Connection(writer), new Connection(reader), options.maxWaiting ?? 10_000);
}
