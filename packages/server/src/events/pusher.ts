// Pushing (RFC 8935): for each receiver one event after the other, in order, the next one only when the one before was taken.
// Several receivers at a time, but at most `together`, and each by one instance: whoever delivers holds a lease on it. An event
// is taken out after it was taken, so a crash in between tells it twice: at least once is the promise, and `jti` says that it is
// the same.
import { randomUUID } from 'node:crypto';
import type { SigningKey } from '@latchkey/core';
import type { MasterKey } from '../keys/master_key.ts';
import { insertAudit, type Origin } from '../storage/audit.ts';
import type { Database, Transaction } from '../storage/database.ts';
import {
  dueReceivers,
  leaseReceiver,
  noteFailure,
  noteSuccess,
  type Receiver,
  releaseReceiver,
} from '../storage/receivers.ts';
import { readSecurityEvents, removeSecurityEvents } from '../storage/security_events.ts';
import { createPushAgent, type PushOutcome, pushEvent } from './push_request.ts';
import type { AddressPolicy } from './receiver_address.ts';
import { retryDelay } from './retry_delay.ts';
import { signSecurityEventToken } from './security_event_token.ts';

export interface Pusher {
  /** There may be something new. */
  wake(): void;
  /** Ends what is under way; what was taken is noted. */
  close(): Promise<void>;
}

export interface PusherOptions {
  readonly database: Database;
  readonly masterKey: MasterKey;
  readonly issuer: string;
  readonly signingKey: () => SigningKey;
  readonly addresses: AddressPolicy;
  readonly origin: Origin;
  /** Whether there is a receiver to push to, as far as this instance knows. */
  readonly wanted: () => boolean;
  readonly onError: (error: unknown) => void;
}

const together = 8;
/** Milliseconds that one event may take; that one turn goes on; and that a lease lasts: longer than both of them. */
const timeout = 5000;
const turnTime = 10_000;
const leaseTime = 20_000;
/** Events that are taken out together: what a crash can tell twice. */
const batch = 32;
/** After so long without success pushing is given up until the receiver is registered again. */
const patience = 86_400_000;

export const authorizationId = (clientId: string) => `receiver ${clientId}`;

interface Turn {
  readonly done: readonly string[];
  readonly outcome: PushOutcome;
}

export function createPusher(options: PusherOptions): Pusher {
  const { database, issuer, origin } = options;
  const lease = randomUUID();
  const running = new Map<string, Promise<void>>();
  const ending = new AbortController();
  let looking: Promise<void> | undefined;
  let again = false;

  function authorizationOf(receiver: Receiver): string | undefined {
    if (receiver.authorization === null) return undefined;
    return options.masterKey.unwrap(receiver.authorization, authorizationId(receiver.clientId)).toString();
  }

  /** Pushes the oldest events until one is not taken, there are no more, or the turn is over. */
  async function deliver(receiver: Receiver): Promise<Turn> {
    const { clientId, endpoint } = receiver;
    if (endpoint === null) throw new Error('a receiver without an address cannot be pushed to');
    const events = await readSecurityEvents(database, clientId, batch);
    const agent = createPushAgent(endpoint);
    const common = { endpoint, agent, timeout, addresses: options.addresses, signal: ending.signal };
    const authorization = authorizationOf(receiver);
    const until = performance.now() + turnTime;
    const done: string[] = [];
    try {
      for (const event of events) {
        const token = signSecurityEventToken(event, clientId, issuer, options.signingKey());
        const outcome = await pushEvent({ ...common, authorization, token });
        if (outcome.kind !== 'failed') done.push(event.jti);
        if (outcome.kind !== 'taken' || performance.now() > until) return { done, outcome };
      }
      return { done, outcome: { kind: 'taken' } };
    } finally {
      agent.destroy();
    }
  }

  async function note(tx: Transaction, receiver: Receiver, { done, outcome }: Turn): Promise<void> {
    const { clientId } = receiver;
    const audit = (action: string, reason: string) =>
      insertAudit(tx, origin, { action, target: clientId, outcome: 'failure', reason });
    await removeSecurityEvents(tx, clientId, done);
    if (done.length > 0) await noteSuccess(tx, clientId);
    if (outcome.kind === 'refused') await audit('event.refuse', outcome.error);
    // The server ends: that is nobody's failure.
    if (outcome.kind === 'failed' && !ending.signal.aborted) {
      const failures = done.length > 0 ? 1 : receiver.failures + 1;
      const delay = retryDelay(failures, Math.random());
      if (await noteFailure(tx, clientId, { error: outcome.error, delay, patience }))
        await audit('receiver.pause', outcome.error);
    }
    await releaseReceiver(tx, clientId, lease);
  }

  async function run(clientId: string): Promise<void> {
    const receiver = await database.write((tx) => leaseReceiver(tx, clientId, lease, leaseTime));
    if (receiver === undefined) return;
    // A fault of ours (a header that cannot be opened) waits like a failure of theirs, and is told.
    const turn = await deliver(receiver).catch((error: unknown): Turn => {
      options.onError(error);
      return { done: [], outcome: { kind: 'failed', error: 'fault' } };
    });
    await database.write((tx) => note(tx, receiver, turn));
  }

  /** Ends by looking again, since there may be more for it; not after a fault, which the timer comes back to. */
  async function start(clientId: string): Promise<void> {
    try {
      await run(clientId);
    } catch (error) {
      options.onError(error);
      return;
    } finally {
      running.delete(clientId);
    }
    wake();
  }

  async function look(): Promise<void> {
    do {
      again = false;
      // Twice as many: those that are running may be among them until they have their lease.
      for (const clientId of await dueReceivers(database, 2 * together)) {
        if (running.size >= together || ending.signal.aborted) return;
        if (!running.has(clientId)) running.set(clientId, start(clientId));
      }
    } while (again && !ending.signal.aborted);
  }

  function wake(): void {
    if (ending.signal.aborted || !options.wanted()) return;
    again = true;
    looking ??= look()
      .catch(options.onError)
      .finally(() => {
        looking = undefined;
      });
  }

  const timer = setInterval(wake, 1000);
  timer.unref();
  return {
    wake,
    async close() {
      clearInterval(timer);
      ending.abort();
      await looking;
      await Promise.all(running.values());
    },
  };
}
