// The data directory: who may read it, whether it is sound, and what the auth server says about its keys. Nothing is
// made or changed here; a directory that does not exist yet is a fresh start, not a fault.
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Admin, openAdmin } from '../admin/admin.ts';
import { collect, type KeyView, type VerifierView } from '../admin/answers.ts';
import { CommandError } from '../failure.ts';
import type { Settings } from '../settings/settings.ts';
import { when } from '../terminal/print.ts';
import { bad, type Finding, good, look } from './finding.ts';
import { judgeVerifiers } from './verifiers.ts';

/** Bytes. */
const littleSpace = 200 * 1024 * 1024;

export function checkDataDir({ dataDir }: Settings): Finding[] {
  if (!existsSync(dataDir)) return [good('data', `${dataDir} does not exist yet; the first start makes it`)];
  const findings: Finding[] = [];
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return [
      bad(
        'data',
        `${dataDir} cannot be written to`,
        `make its owner the user that runs latchkey: chown -R USER ${dataDir}`,
      ),
    ];
  }
  if ((statSync(dataDir).mode & 0o007) !== 0) {
    findings.push(look('data', `everybody on this machine can look into ${dataDir}`, `chmod 700 ${dataDir}`));
  }
  const disk = statfsSync(dataDir);
  const free = disk.bavail * disk.bsize;
  if (free < littleSpace)
    findings.push(
      look(
        'data',
        `${Math.round(free / 1024 / 1024)} MiB are free on its disk`,
        'make room before sign-ins fail',
      ),
    );
  return findings.length > 0 ? findings : [good('data', dataDir)];
}

export function checkMasterKey(settings: Settings): Finding {
  if (settings.given('masterKey') !== undefined) return good('master key', 'given in the environment');
  const file = settings.given<string>('masterKeyFile') ?? join(settings.dataDir, 'master.key');
  if (!existsSync(file)) {
    if (!existsSync(databaseFile(settings))) return good('master key', 'made at the first start');
    return bad(
      'master key',
      `${file} is missing, and the private keys cannot be read without it`,
      'put it back from your backup',
    );
  }
  if ((statSync(file).mode & 0o077) !== 0)
    return bad('master key', `others on this machine can read ${file}`, `chmod 600 ${file}`);
  return good('master key', `${file}; keep a copy apart from the database`);
}

export function checkDatabase(settings: Settings): Finding {
  const file = databaseFile(settings);
  if (!existsSync(file)) return good('database', 'made at the first start');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true, timeout: 2_000 });
    const answer = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0];
    if (answer === 'ok') return good('database', `${file} is sound`);
    return bad(
      'database',
      `${file} is damaged: ${String(answer)}`,
      'stop latchkey, keep a copy of the file, restore your last backup',
    );
  } catch (error) {
    return bad(
      'database',
      `${file} cannot be read: ${(error as Error).message}`,
      'check who owns it; restore your last backup if it is damaged',
    );
  } finally {
    database?.close();
  }
}

/** The keys as the auth server sees them, running or opened for this. Tells also whether the master key fits. */
export async function checkKeys(settings: Settings, now: number): Promise<Finding[]> {
  if (!existsSync(databaseFile(settings))) return [good('keys', 'made at the first start')];
  let admin: Admin | undefined;
  try {
    admin = await openAdmin(settings);
    const keys = await collect<KeyView>(admin, '/auth/admin/keys', 'keys');
    const findings = [judgeServer(admin), judgeKeys(keys), judgeClock(keys, now)];
    if (!admin.running) return findings;
    const fleet = await collect<VerifierView>(admin, '/auth/admin/verifiers', 'verifiers');
    return [...findings, ...judgeVerifiers(fleet, now)];
  } catch (error) {
    const hint = error instanceof CommandError ? error.hint : undefined;
    return [bad('keys', (error as Error).message, hint ?? 'latchkey auth shows more')];
  } finally {
    await admin?.close();
  }
}

function judgeServer({ running }: Admin): Finding {
  return good('auth server', running ? 'is running' : 'is not running; its data could be opened');
}

function judgeKeys(keys: readonly KeyView[]): Finding {
  const current = keys.filter(({ state }) => state === 'current');
  if (current.length === 0) return bad('keys', 'no key signs at the moment', 'latchkey key rotate');
  const key = current[0]!;
  const until = key.retires_at === undefined ? '' : `, until ${when(key.retires_at)}`;
  return good(
    'keys',
    `${key.alg} ${key.kid.slice(0, 12)}… signs since ${when(key.activates_at ?? key.created_at)}${until}`,
  );
}

/** A key made in the future means that this clock was ahead then, or is behind now. */
function judgeClock(keys: readonly KeyView[], now: number): Finding {
  const newest = Math.max(...keys.map((key) => Date.parse(key.created_at)));
  if (newest <= now + 60_000) return good('clock', when(now));
  return bad(
    'clock',
    `it is ${when(now)} here, but a key was made at ${when(newest)}`,
    'set the clock (timedatectl set-ntp true); tokens depend on it',
  );
}

function databaseFile({ dataDir }: Settings): string {
  return join(dataDir, 'latchkey.db');
}
