// Writes signals: every change that running tokens must learn of calls one of these inside its own transaction. The hub is
// told once the commit is durable.
import { markLife } from '../rules/lifetimes.ts';
import type { Queries, Transaction } from '../storage/database.ts';
import { insertSignal, type Mark } from '../storage/signals.ts';

export interface SignalPublisher {
  /** As the last statement of the transaction: it takes the lock that orders all signals. Answers the signal's number. */
  mark(tx: Transaction, mark: Mark): Promise<number>;
  /** The JWK Set changed. */
  keys(tx: Transaction): Promise<number>;
}

/** Writes what third parties are to be told of a mark. Called in the mark's transaction, with its number. */
export type RecordMark = (tx: Transaction, mark: Mark, seq: number) => Promise<void>;

/**
 * `maxTokenLife`: seconds, as the transaction sees it, so that a mark outlives also the tokens of an instance that has just
 * begun to issue longer ones. `wake` is called after each commit that carried a signal.
 */
export function createSignalPublisher(
  maxTokenLife: (queries: Queries) => Promise<number>,
  wake: () => void,
  record: RecordMark = async () => {},
): SignalPublisher {
  return {
    async mark(tx, mark) {
      const life = mark.by === 'kid' ? null : markLife(await maxTokenLife(tx));
      const seq = await insertSignal(tx, mark, life);
      await record(tx, mark, seq);
      tx.onCommit(wake);
      return seq;
    },
    async keys(tx) {
      const seq = await insertSignal(tx, { kind: 'keys' }, null);
      tx.onCommit(wake);
      return seq;
    },
  };
}
