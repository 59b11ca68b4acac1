// Receipts: who has applied a change that was just committed, and who has not and until when that one may still trust what it has. A
// receipt that is waited for ends when every member of the fleet has acknowledged, or when its time is over. Those that
// wait are bounded in number, and are woken by acknowledgements that arrive here; what arrives at another server is seen by a
// slow poll, one read for all that wait.
import { trustTime } from '../rules/lifetimes.ts';
import type { Queries } from '../storage/database.ts';
import { readHead } from '../storage/signals.ts';
import type { VerifierKey, VerifierRecord } from '../storage/verifiers.ts';
import type { Fleet, FleetChange, FleetView } from './fleet.ts';
import { hasApplied, isLive, safeAt, type Target } from './fleet_member.ts';

export interface ReceiptMember {
  readonly name: string;
  readonly instance: string;
}

export interface Receipt {
  /** The change is at this number or before it. */
  readonly seq: number;
  readonly applied: readonly ReceiptMember[];
  /** `safe_at`: when this one must have stopped trusting what it has. */
  readonly pending: readonly (ReceiptMember & { readonly safe_at: string })[];
}

export interface ReceiptRequest {
  /** Milliseconds. */
  readonly timeout: number;
  /** Nobody waits for the answer any more. */
  readonly gone: AbortSignal;
  /** Asked for by somebody who administers: half of all places are for these alone. */
  readonly privileged: boolean;
}

export interface Receipts {
  /** For everything that is committed now. */
  take(request: ReceiptRequest): Promise<Receipt>;
  /** Those that wait are answered with what is known. */
  close(): void;
}

export interface ReceiptsOptions {
  readonly queries: Queries;
  readonly epoch: string;
  readonly fleet: Pick<Fleet, 'look' | 'onChange'>;
  readonly hub: {
    /** Up to where the streams here have been told everything. */
    readonly said: { readonly seq: number };
    /** Asks the registered readers here to acknowledge now. */
    ask(): void;
  };
  /** Seconds. */
  readonly maxLife: () => Promise<number>;
  /** Receipts that are waited for at once; one more is answered with what is known. @default 200 */
  readonly most?: number;
}

/** What was committed, and when. */
interface Change extends Target {
  readonly committedAt: number;
}

interface Waiter {
  readonly change: Change;
  /** Those that have not applied it, by their text. */
  readonly awaited: Set<string>;
  readonly wake: () => void;
}

/** Milliseconds between two looks for what was acknowledged at other servers. */
const pollInterval = 250;
/** Milliseconds between two looks whether the streams have been told. */
const askInterval = 10;
/** Milliseconds between two questions to the fleet, and one for each that is to answer: no more than a thousand answers a second. */
const leastPause = 50;

const textOf = ({ clientId, instance }: VerifierKey): string => `${clientId}.${instance}`;

/** Those of the fleet that have not applied it: the ones to wait for. */
function behind({ verifiers, now }: FleetView, change: Change): VerifierRecord[] {
  return verifiers.filter((verifier) => isLive(verifier, now) && !hasApplied(verifier, change));
}

function receiptOf({ verifiers, now }: FleetView, change: Change, trust: number): Receipt {
  const applied: ReceiptMember[] = [];
  const pending: (ReceiptMember & { safe_at: string })[] = [];
  for (const verifier of verifiers) {
    const { name, instance } = verifier;
    const safe = safeAt(verifier, now, trust, change.committedAt);
    if (hasApplied(verifier, change)) applied.push({ name, instance });
    else if (safe > now) pending.push({ name, instance, safe_at: new Date(safe).toISOString() });
  }
  return { seq: change.seq, applied, pending };
}

/** Asks once for all that want the same: when the streams have been told, since an earlier answer would be about what came before. */
function createAsker(hub: ReceiptsOptions['hub']) {
  let wanted = 0;
  let pause = leastPause;
  let askedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    want(seq: number, ofHowMany: number): void {
      wanted = Math.max(wanted, seq);
      pause = Math.max(leastPause, ofHowMany);
      timer ??= setInterval(() => {
        if (hub.said.seq < wanted || performance.now() - askedAt < pause) return;
        stop();
        askedAt = performance.now();
        hub.ask();
      }, askInterval);
    },
    stop,
  };
}

export function createReceipts(options: ReceiptsOptions): Receipts {
  const { queries, epoch, fleet } = options;
  const most = options.most ?? 200;
  const waiters = new Set<Waiter>();
  const asker = createAsker(options.hub);
  let poll: NodeJS.Timeout | undefined;
  let closed = false;

  function wakeAll(): void {
    for (const { wake } of waiters) wake();
  }

  function hear({ position, ...key }: FleetChange): void {
    if (position === undefined) wakeAll();
    else meet(position, textOf(key));
  }

  function meet(position: Target, text: string): void {
    for (const { change, awaited, wake } of waiters) {
      if (position.epoch !== change.epoch || position.seq < change.seq) continue;
      if (awaited.delete(text) && awaited.size === 0) wake();
    }
  }
  const deaf = fleet.onChange(hear);

  function join(waiter: Waiter, late: number): void {
    waiters.add(waiter);
    poll ??= setInterval(wakeAll, pollInterval);
    asker.want(waiter.change.seq, late);
  }

  function leave(waiter: Waiter): void {
    waiters.delete(waiter);
    if (waiters.size > 0) return;
    clearInterval(poll);
    poll = undefined;
    asker.stop();
  }

  /** Looks again and again until nobody is behind any more, or `over` says so. */
  async function waitFor(change: Change, first: FleetView, over: AbortSignal): Promise<FleetView> {
    let woken = Promise.withResolvers<void>();
    const waiter = { change, awaited: new Set<string>(), wake: () => woken.resolve() };
    over.addEventListener('abort', waiter.wake);
    join(waiter, behind(first, change).length);
    try {
      for (let view = first; ; view = await fleet.look()) {
        const late = behind(view, change);
        if (late.length === 0 || over.aborted || closed) return view;
        waiter.awaited.clear();
        for (const verifier of late) waiter.awaited.add(textOf(verifier));
        await woken.promise;
        woken = Promise.withResolvers<void>();
      }
    } finally {
      leave(waiter);
      over.removeEventListener('abort', waiter.wake);
    }
  }

  return {
    async take({ timeout, gone, privileged }) {
      const { seq, asOf } = await readHead(queries);
      const change = { epoch, seq, committedAt: asOf };
      const trust = trustTime(await options.maxLife());
      const view = await fleet.look();
      const places = privileged ? most : most / 2;
      if (behind(view, change).length === 0 || waiters.size >= places || closed)
        return receiptOf(view, change, trust);
      const late = AbortSignal.timeout(timeout);
      return receiptOf(await waitFor(change, view, AbortSignal.any([late, gone])), change, trust);
    },
    close() {
      closed = true;
      deaf();
      wakeAll();
    },
  };
}
