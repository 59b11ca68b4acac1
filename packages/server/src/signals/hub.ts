// The hub reads the signals table in order and says what is new to every open stream, in batches that a signed heartbeat
// closes: one signature and one buffer for all readers, however many. It is woken by commits in this process and by a timer,
// and says nothing without having read: so an instance that is cut off from its database falls silent, and its verifiers know.
import type { SigningKey } from '@latchkey/core';
import type { Database } from '../storage/database.ts';
import { readHead, type Signal, signalsAfter, touchesKeys } from '../storage/signals.ts';
import { askFrame, type Batch, batchOf, heartbeatFrame, type Position, resetFrame } from './frames.ts';
import { createCatchUp, type Said } from './hub_catch_up.ts';
import { signStatement } from './statement.ts';
import { inTurns } from './turns.ts';

export interface SignalReader {
  /** It has a client credential, and may be asked to acknowledge. @default false */
  readonly registered?: boolean;
  /** Answers false when the reader is too slow or gone: it is dropped. */
  send(frames: Buffer): boolean;
  /** The server ends, or cannot say what the reader has missed: it connects again, perhaps to another one. */
  end(): void;
}

export interface SignalHub {
  /** Looks for new signals soon. */
  wake(): void;
  /** Adds a reader that begins after `position`, or now when it has none. Answers how to remove it. */
  add(reader: SignalReader, position: Position | undefined): () => void;
  /** Asks the registered readers to acknowledge now. */
  ask(): void;
  readonly readers: number;
  readonly said: Said;
  close(): void;
}

export interface SignalHubOptions {
  readonly database: Database;
  readonly issuer: string;
  readonly epoch: string;
  /** The one that signs now. */
  readonly signingKey: () => SigningKey;
  /** The table says that keys have come or gone, perhaps by another instance: called before anything more is signed. */
  readonly keysChanged: () => Promise<void>;
  /** Seconds: the longest life of any token that is alive. */
  readonly maxLife: () => Promise<number>;
  /** Milliseconds between heartbeats. @default 1000 */
  readonly heartbeat?: number;
  readonly onError: (error: unknown) => void;
}

/** Events that one heartbeat closes; a reader that is further behind is sent to the snapshot. */
const batchSize = 1000;

/** With a thousand readers a round takes some ten milliseconds: it leaves most of the time to everybody else. */
const pace = { rest: 3, longestRest: 100 };

/** Begins at the end of the table: earlier signals are only read for those who have missed them. */
export async function createSignalHub(options: SignalHubOptions): Promise<SignalHub> {
  const { database, issuer, epoch } = options;
  const readers = new Set<SignalReader>();
  const [reset, ask] = [Buffer.from(resetFrame), Buffer.from(askFrame)];
  const end = await readHead(database);
  let said: Said = { seq: end.seq, asOf: end.asOf, maxLife: await options.maxLife() };
  let closed = false;

  /** A batch and the heartbeat that closes it. */
  function closing({ from, seq, frames, sha256 }: Batch, { asOf, maxLife }: Said): Buffer {
    const statement = { iss: issuer, epoch, from, seq, as_of: asOf, max_life: maxLife, sha256 };
    return Buffer.from(frames + heartbeatFrame(statement, signStatement(statement, options.signingKey())));
  }

  const catchUp = createCatchUp({ database, epoch, batchSize, said: () => said, closing });

  function broadcast(frames: Buffer): void {
    for (const reader of readers) if (!reader.send(frames)) readers.delete(reader);
  }

  function say(batch: Batch, asOf: number, maxLife: number): void {
    if (closed) return;
    const now = { seq: batch.seq, asOf, maxLife };
    const frames = readers.size === 0 ? undefined : closing(batch, now);
    // Nothing waits between the two: whoever joins stands either before this batch or after it.
    said = now;
    if (frames !== undefined) broadcast(frames);
  }

  async function sayNew(): Promise<void> {
    const head = await readHead(database);
    const maxLife = await options.maxLife();
    if (head.seq < said.seq) throw new Error('the signals in the database have gone back');
    do {
      const signals = head.seq === said.seq ? [] : await signalsAfter(database, said.seq, batchSize);
      if (touchesKeys(signals)) await options.keysChanged();
      if (!isNext(signals, said.seq, head.seq)) return await startAfter(head, maxLife);
      const last = signals.at(-1)?.seq ?? said.seq;
      // While more waits, no later time may be claimed than the one up to which everything has been said.
      say(batchOf(epoch, said.seq, signals), last >= head.seq ? head.asOf : said.asOf, maxLife);
    } while (said.seq < head.seq && !closed);
  }

  /** There is a hole: what stood there has expired, and only the snapshot is whole. */
  async function startAfter(head: { seq: number; asOf: number }, maxLife: number): Promise<void> {
    await options.keysChanged();
    broadcast(reset);
    say(batchOf(epoch, head.seq, []), head.asOf, maxLife);
  }

  const round = inTurns(async () => {
    if (closed) return;
    await sayNew().catch((error: unknown) => {
      if (!closed) options.onError(error);
    });
  }, pace);

  /** Adds the reader in one turn with the last look at what was said, so that nothing falls between. */
  async function join(reader: SignalReader, position: Position, gone: () => boolean): Promise<void> {
    // Another instance was further: what it said is in the database.
    if (position.epoch === epoch && position.seq > said.seq) await round();
    for (let from = position; ; ) {
      const missed = await catchUp(from);
      if (closed) reader.end();
      if (gone() || closed) return;
      if (!reader.send(missed?.frames ?? reset)) return;
      if (missed === undefined || missed.position.seq === said.seq) break;
      from = missed.position;
    }
    readers.add(reader);
  }

  const timer = setInterval(() => void round(), options.heartbeat ?? 1000);
  return {
    wake: () => void round(),
    add(reader, position) {
      let removed = false;
      if (closed) reader.end();
      else if (position === undefined) {
        if (reader.send(catchUp.now())) readers.add(reader);
      } else {
        join(reader, position, () => removed).catch((error: unknown) => {
          if (!closed) options.onError(error);
          reader.end();
        });
      }
      return () => {
        removed = true;
        readers.delete(reader);
      };
    },
    ask() {
      for (const reader of readers)
        if (reader.registered === true && !reader.send(ask)) readers.delete(reader);
    },
    get readers() {
      return readers.size;
    },
    get said() {
      return said;
    },
    close() {
      closed = true;
      clearInterval(timer);
      for (const reader of readers) reader.end();
      readers.clear();
    },
  };
}

/** Whether these follow on `from` without a hole, and there are some when there should be. */
function isNext(signals: readonly Signal[], from: number, until: number): boolean {
  const last = signals.at(-1)?.seq ?? from;
  return last - from === signals.length && (signals.length > 0 || from === until);
}
