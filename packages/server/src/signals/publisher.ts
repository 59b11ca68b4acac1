// Writes signals: every change that running tokens must learn of calls one of these inside its own transaction. The hub is
// told once the commit is durable.
import { markLife } from '../rules/lifetimes.ts';
import type { Transaction } from '../storage/database.ts';
import { insertSignal, type Mark } from '../storage/signals.ts';

export interface SignalPublisher {
  /** As the last statement of the transaction: it takes the lock that orders all signals. */
  mark(tx: Transaction, mark: Mark): Promise<void>;
  /** The JWK Set changed. */
  keys(tx: Transaction): Promise<void>;
}

/** `maxTokenLife`: seconds. `wake` is called after each commit that carried a signal. */
export function createSignalPublisher(
  maxTokenLife: () => Promise<number>,
  wake: () => void,
): SignalPublisher {
  return {
    async mark(tx, mark) {
      await insertSignal(tx, mark, mark.by === 'kid' ? null : markLife(await maxTokenLife()));
      tx.onCommit(wake);
    },
    async keys(tx) {
      await insertSignal(tx, { kind: 'keys' }, null);
      tx.onCommit(wake);
    },
  };
}
