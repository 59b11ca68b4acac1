// Writes events for third parties in the transaction of the change that causes them, right after its mark: so none is lost, none
// is told of a change that never happened, and they stand in the order of commit. Costs nothing while nobody is registered.
import { randomBytes } from 'node:crypto';
import type { RecordMark } from '../signals/publisher.ts';
import { insertAudit, type Origin } from '../storage/audit.ts';
import type { Transaction } from '../storage/database.ts';
import { insertSecurityEvent } from '../storage/security_events.ts';
import { readSessionState } from '../storage/sessions.ts';
import type { Mark } from '../storage/signals.ts';
import { findUser } from '../storage/users.ts';
import { eventsOf, type MarkFacts } from './caep.ts';
import { contentOf } from './security_event_token.ts';

export interface RecorderOptions {
  /** Whether there is a receiver, as far as this instance knows. */
  readonly wanted: () => boolean;
  /** Called after each commit that wrote an event. */
  readonly wake: () => void;
  readonly origin: Origin;
  /** Events that one receiver may have waiting. */
  readonly most: number;
}

async function factsOf(tx: Transaction, mark: Mark): Promise<MarkFacts> {
  const { by, cause, kind, value } = mark;
  if (by === 'sid') {
    const session = await readSessionState(tx, value);
    return { userId: session?.userId, cause: session?.endedReason ?? cause };
  }
  if (by === 'sub' && kind === 'stale') return { user: await findUser(tx, value), cause };
  return { cause: by === 'client' ? 'client_deleted' : cause };
}

export function createRecorder(options: RecorderOptions): RecordMark {
  async function write(tx: Transaction, mark: Mark, seq: number): Promise<void> {
    const txn = randomBytes(16).toString('base64url');
    const events = eventsOf(mark, await factsOf(tx, mark));
    for (const [part, event] of events.entries()) {
      const id = randomBytes(16).toString('base64url');
      const row = { id, seq, part, txn, type: event.type, content: contentOf(event) };
      for (const { clientId, first } of await insertSecurityEvent(tx, row, options.most)) {
        // Told once: until the receiver has caught up, each further event is only counted.
        if (!first) continue;
        const entry = { action: 'receiver.overflow', target: clientId, outcome: 'failure' } as const;
        await insertAudit(tx, options.origin, entry);
      }
    }
    if (events.length > 0) tx.onCommit(options.wake);
  }

  return async (tx, mark, seq) => {
    if (options.wanted()) await write(tx, mark, seq);
  };
}
