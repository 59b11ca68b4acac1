// The thin interface between the stores and a database engine. Stores write plain SQL that SQLite and PostgreSQL both
// understand, with `?` for parameters and `now_ms()` for the database's clock (milliseconds since 1970); an engine is
// one file beside this one. All session times are the database's clock, never the process's.

export type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

/** Runs statements. Outside a transaction it reads committed data only. */
export interface Queries {
  all<R extends object = Row>(sql: string, ...parameters: readonly Value[]): Promise<R[]>;
  one<R extends object = Row>(sql: string, ...parameters: readonly Value[]): Promise<R | undefined>;
}

/** Inside a transaction. Never wait for anything but the transaction itself: others wait in the same commit. */
export interface Transaction extends Queries {
  /** Runs a statement and answers how many rows it changed. */
  run(sql: string, ...parameters: readonly Value[]): Promise<number>;
  /** Called once, after the commit is durable; not called when it fails. */
  onCommit(listener: () => void): void;
}

export interface Database extends Queries {
  readonly engine: 'sqlite' | 'postgresql';
  /** Runs `work` atomically. Resolves after the commit is durable; when `work` throws, nothing of it stays. */
  write<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The database is gone, full, or has more writes waiting than it can take. */
export class DatabaseUnavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'DatabaseUnavailable';
  }
}

/** A uniqueness rule refused a write. */
export class UniqueViolation extends Error {
  constructor(cause: unknown) {
    super('a row with this key exists', { cause });
    this.name = 'UniqueViolation';
  }
}
