// What has to happen from time to time: keys rotate, dead rows leave, the token life is announced. Every step may run on
// many instances at once, and one that fails is tried again at the next turn.
import type { RefreshKeyring } from './keys/refresh_keyring.ts';
import type { SigningKeyring } from './keys/signing_keyring.ts';
import { fleetSilence, trustTime } from './rules/lifetimes.ts';
import type { TokenLife } from './signals/token_life.ts';
import { sweepAttempts } from './storage/attempts.ts';
import type { Origin } from './storage/audit.ts';
import type { Database, Transaction } from './storage/database.ts';
import { sweepSecurityEvents } from './storage/security_events.ts';
import { sweepSessions } from './storage/sessions.ts';
import { sweepSignals } from './storage/signals.ts';
import { sweepVerifiers } from './storage/verifiers.ts';

export interface UpkeepOptions {
  readonly database: Database;
  readonly signingKeys: SigningKeyring;
  readonly refreshKeys: RefreshKeyring;
  readonly tokenLife: TokenLife;
  readonly origin: Origin;
  readonly onError: (error: unknown) => void;
}

const minute = 60_000;
const day = 86_400_000;
/** Rows removed in one transaction: others wait for no more than this. */
const batch = 500;
/** Dead sessions stay for a while, so that "why was I signed out?" has an answer. */
const keepSessions = 7 * day;
/** A security event that its receiver has not taken by then is of no use any more: the tokens it is about are long dead. */
const keepEvents = 7 * day;

/** One turn of everything. A step that fails is told to `onError` and keeps none of the others from its work. */
export async function runUpkeep(options: UpkeepOptions): Promise<void> {
  const { database } = options;
  const sweep = async (some: (tx: Transaction) => Promise<number>) => {
    while ((await database.write(some)) === batch);
  };
  const sweepFleet = async () => {
    const trust = trustTime(await options.tokenLife.longest());
    await sweep((tx) => sweepVerifiers(tx, trust, fleetSilence, batch));
  };
  const sweepEvents = async () => {
    while ((await database.write((tx) => sweepSecurityEvents(tx, keepEvents, batch))) > 0);
  };
  const steps = [
    () => options.signingKeys.rotate(options.origin),
    async () => options.refreshKeys.rotate(await clockOf(database)),
    () => options.tokenLife.announce(),
    () => sweep((tx) => sweepSessions(tx, keepSessions, batch)),
    () => sweep((tx) => sweepAttempts(tx, day, batch)),
    () => sweep((tx) => sweepSignals(tx, batch)),
    sweepEvents,
    sweepFleet,
  ];
  for (const step of steps) await step().catch(options.onError);
}

async function clockOf(database: Database): Promise<number> {
  return (await database.one<{ now: number }>('SELECT now_ms() AS now'))?.now ?? 0;
}

/** Runs a turn every minute; the answer stops it. */
export function startUpkeep(options: UpkeepOptions): () => void {
  const timer = setInterval(() => void runUpkeep(options), minute);
  timer.unref();
  return () => clearInterval(timer);
}
