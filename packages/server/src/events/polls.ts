// Polling (RFC 8936): a receiver acknowledges what it has, and is given the oldest of what it has not; the same again until it
// acknowledges. Where there is nothing it waits for a while. One call of each receiver waits at a time: a newer one sends the
// older home, so there are never more waiting than there are receivers, and order stays one order.
import { setImmediate as turn } from 'node:timers/promises';
import type { SigningKey } from '@latchkey/core';
import { AuthError } from '../errors.ts';
import { insertAudit, type Origin } from '../storage/audit.ts';
import type { Database, Transaction } from '../storage/database.ts';
import { findReceiver, noteError, noteSuccess } from '../storage/receivers.ts';
import {
  readSecurityEvents,
  removeSecurityEvents,
  type SecurityEventRecord,
} from '../storage/security_events.ts';
import { deliveryError, isFinal } from './delivery_errors.ts';
import { signSecurityEventToken } from './security_event_token.ts';

export interface PollRequest {
  readonly ack: readonly string[];
  /** What is wrong with events, by `jti`. */
  readonly setErrs: Readonly<Record<string, { readonly err: string }>>;
  /** 0 only acknowledges. */
  readonly maxEvents: number;
  readonly returnImmediately: boolean;
}

export interface PollAnswer {
  /** Signed tokens by `jti`. */
  readonly sets: Readonly<Record<string, string>>;
  readonly moreAvailable: boolean;
}

export interface Polls {
  /** Throws AuthError `not_found` when the client is no receiver that polls. `gone`: the caller has hung up. */
  poll(clientId: string, request: PollRequest, origin: Origin, gone: AbortSignal): Promise<PollAnswer>;
  /** There may be something new. */
  wake(): void;
  /** Everybody who waits is answered. */
  close(): void;
}

export interface PollsOptions {
  readonly database: Database;
  readonly issuer: string;
  readonly signingKey: () => SigningKey;
  /** Milliseconds that a call waits; less than any time limit on the way. @default 20000 */
  readonly patience?: number;
}

/** Events in one answer: what a receiver holds in memory, and we sign, at once. */
export const maxPolled = 100;
/** How often one that waits looks for what another instance has written. Milliseconds. */
const lookAgain = 1000;

export function createPolls(options: PollsOptions): Polls {
  const { database, issuer } = options;
  const waiting = new Map<string, AbortController>();
  const knocks = new Set<() => void>();
  let wakes = 0;
  let closed = false;

  function wake(): void {
    wakes += 1;
    for (const knock of knocks) knock();
  }

  /** Until something may have come since `seen`, at the longest until `limit`. */
  async function pause(seen: number, limit: number, signal: AbortSignal): Promise<void> {
    if (seen !== wakes || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const knock = () => resolve();
    const timer = setTimeout(knock, Math.min(lookAgain, limit));
    knocks.add(knock);
    signal.addEventListener('abort', knock);
    await promise;
    clearTimeout(timer);
    knocks.delete(knock);
    signal.removeEventListener('abort', knock);
  }

  async function settle(tx: Transaction, clientId: string, request: PollRequest, origin: Origin) {
    const errors = Object.entries(request.setErrs).map(([jti, { err }]) => ({
      jti,
      err: deliveryError(err),
    }));
    const refused = errors.filter(({ err }) => isFinal(err)).map(({ jti }) => jti);
    await removeSecurityEvents(tx, clientId, request.ack);
    if ((await removeSecurityEvents(tx, clientId, refused)) > 0) {
      const entry = { action: 'event.refuse', target: clientId, outcome: 'failure' } as const;
      await insertAudit(tx, origin, { ...entry, reason: 'invalid_request' });
    }
    const last = errors.at(-1);
    if (last !== undefined) await noteError(tx, clientId, last.err);
    else if (request.ack.length > 0) await noteSuccess(tx, clientId);
  }

  /** The oldest events, and one more than asked for if there is one. */
  async function next(clientId: string, request: PollRequest, gone: AbortSignal) {
    const until = performance.now() + (options.patience ?? 20_000);
    for (;;) {
      const seen = wakes;
      const events = await readSecurityEvents(database, clientId, request.maxEvents + 1);
      const left = until - performance.now();
      if (events.length > 0 || request.returnImmediately || closed || gone.aborted || left <= 0)
        return events;
      await pause(seen, left, gone);
    }
  }

  async function sign(events: readonly SecurityEventRecord[], clientId: string) {
    const sets: Record<string, string> = {};
    for (const event of events) {
      sets[event.jti] = signSecurityEventToken(event, clientId, issuer, options.signingKey());
      // A signature of some algorithms takes a millisecond: others have their turn in between.
      await turn();
    }
    return sets;
  }

  return {
    async poll(clientId, request, origin, gone) {
      const receiver = await findReceiver(database, clientId);
      if (receiver?.delivery !== 'poll')
        throw new AuthError('not_found', 'This client is not registered to poll for events.');
      if (request.ack.length > 0 || Object.keys(request.setErrs).length > 0)
        await database.write((tx) => settle(tx, clientId, request, origin));
      if (request.maxEvents === 0) return { sets: {}, moreAvailable: false };
      const mine = new AbortController();
      waiting.get(clientId)?.abort();
      waiting.set(clientId, mine);
      try {
        const events = await next(clientId, request, AbortSignal.any([mine.signal, gone]));
        // One that was sent home, or has hung up, is given nothing: another call is.
        const given = mine.signal.aborted || gone.aborted ? [] : events.slice(0, request.maxEvents);
        return { sets: await sign(given, clientId), moreAvailable: events.length > given.length };
      } finally {
        if (waiting.get(clientId) === mine) waiting.delete(clientId);
      }
    },
    wake,
    close() {
      closed = true;
      wake();
    },
  };
}
