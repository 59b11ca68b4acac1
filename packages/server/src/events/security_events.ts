// Security events for third parties, put together: the recorder that changes write through, polling, pushing, and the register of
// receivers. What others have registered is learnt every few seconds, so that nothing is asked of the database while nobody is.
import type { SigningKey } from '@latchkey/core';
import type { MasterKey } from '../keys/master_key.ts';
import type { RecordMark } from '../signals/publisher.ts';
import type { Origin } from '../storage/audit.ts';
import type { Database } from '../storage/database.ts';
import { type ReceiverTotals, receiverTotals, releaseAllReceivers } from '../storage/receivers.ts';
import { createPolls, type Polls } from './polls.ts';
import { createPusher } from './pusher.ts';
import { createAddressPolicy } from './receiver_address.ts';
import { createReceiverAdmin, type ReceiverAdmin } from './receiver_admin.ts';
import { createRecorder } from './recorder.ts';

export interface SecurityEvents {
  readonly record: RecordMark;
  readonly polls: Polls;
  readonly receiverAdmin: ReceiverAdmin;
  /** As of a few seconds ago. */
  readonly totals: ReceiverTotals;
  /** From now on events are pushed: the keyring is open. */
  start(): void;
  close(): Promise<void>;
}

export interface SecurityEventsOptions {
  readonly database: Database;
  readonly masterKey: MasterKey;
  readonly issuer: string;
  /** Not asked before `start`: the keyring writes its marks through us, so it is opened later. */
  readonly signingKey: () => SigningKey;
  /** Private networks that receivers may be in. */
  readonly receiverNetworks: readonly string[];
  /** Whom the audit trail names for what we do by ourselves. */
  readonly origin: Origin;
  readonly onError: (error: unknown) => void;
  /** Events that one receiver may have waiting. @default 10000 */
  readonly most?: number;
}

/** Milliseconds after which an instance knows what was registered at another one. */
const refreshTime = 5000;

export async function openSecurityEvents(options: SecurityEventsOptions): Promise<SecurityEvents> {
  const { database } = options;
  // One process has such a database at a time: whoever was delivering is dead.
  if (database.engine === 'sqlite') await database.write(releaseAllReceivers);
  let totals = await receiverTotals(database);
  let started = false;
  let refreshes = 0;

  async function refresh(): Promise<void> {
    refreshes += 1;
    const mine = refreshes;
    const read = await receiverTotals(database);
    // One that was asked for later knows better.
    if (mine === refreshes) totals = read;
  }

  function wake(): void {
    polls.wake();
    pusher.wake();
  }

  const polls = createPolls(options);
  const addresses = createAddressPolicy(options.receiverNetworks, options.issuer);
  const record = createRecorder({
    wanted: () => totals.receivers > 0,
    wake,
    origin: options.origin,
    most: options.most ?? 10_000,
  });
  async function changed(): Promise<void> {
    await refresh();
    wake();
  }
  const receiverAdmin = createReceiverAdmin({ ...options, addresses, changed });
  const pusher = createPusher({ ...options, addresses, wanted: () => started && totals.pushed > 0 });
  let timer: NodeJS.Timeout | undefined;
  return {
    record,
    polls,
    receiverAdmin,
    get totals() {
      return totals;
    },
    start() {
      started = true;
      timer = setInterval(() => void refresh().catch(options.onError), refreshTime).unref();
      pusher.wake();
    },
    async close() {
      clearInterval(timer);
      polls.close();
      await pusher.close();
    },
  };
}
