// One server per data directory: two writers on one SQLite file starve each other, and two key rotations would race.
// The lock is an exclusive SQLite transaction on a file of its own, so the kernel frees it however the process ends.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another process holds the directory; `pid` is who, where it is known. */
export class DataDirLocked extends Error {
  readonly dataDir: string;
  readonly pid: number | undefined;

  constructor(dataDir: string, pid: number | undefined) {
    super(`the data directory ${dataDir} is in use${pid === undefined ? '' : ` by process ${pid}`}`);
    this.name = 'DataDirLocked';
    this.dataDir = dataDir;
    this.pid = pid;
  }
}

/** SQLite's result code for a lock that another holds. */
const busy = 5;

export interface DataDirLock {
  release(): void;
}

/** Makes the directory (mode 0700) where it is missing and takes its lock, or throws DataDirLocked. */
export function lockDataDir(dataDir: string): DataDirLock {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'latchkey.lock');
  const pidFile = join(dataDir, 'latchkey.pid');
  const lock = new DatabaseSync(file);
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode !== busy) throw error;
    throw new DataDirLocked(dataDir, readPid(pidFile));
  }
  chmodSync(file, 0o600);
  writeFileSync(pidFile, String(process.pid), { mode: 0o600 });
  return { release: () => lock.close() };
}

function readPid(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, 'utf8'));
  return Number.isSafeInteger(pid) ? pid : undefined;
}
