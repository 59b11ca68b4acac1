// The hub reads the signals table in order and hands each row to every open stream. It is woken by commits in this
// process and by a timer, and after every successful read it may say a heartbeat: so an instance that is cut off from
// its database falls silent, and its verifiers know.
import type { Database } from '../storage/database.ts';
import { findSignal, readHead, type Signal, signalsAfter } from '../storage/signals.ts';
import { heartbeatFrame, type Position, resetFrame, signalFrame } from './frames.ts';

export interface SignalReader {
  /** Answers false when the reader is too slow or gone: it is dropped. */
  send(frame: string): boolean;
  /** The server ends: the reader connects again, perhaps to another one. */
  end(): void;
}

export interface SignalHub {
  /** Looks for new signals soon. */
  wake(): void;
  /** Adds a reader that begins after `position`, or at the end when it has none. Answers how to remove it. */
  add(reader: SignalReader, position: Position | undefined): () => void;
  readonly readers: number;
  close(): void;
}

export interface SignalHubOptions {
  readonly database: Database;
  readonly epoch: string;
  /** Seconds: the longest life a token of ours may have. */
  readonly maxLife: () => Promise<number>;
  /** Milliseconds between heartbeats. @default 1000 */
  readonly heartbeat?: number;
  readonly onError: (error: unknown) => void;
}

/** Rows read at once; a reader that is further behind is sent to the snapshot. */
const batch = 1000;

export async function createSignalHub(options: SignalHubOptions): Promise<SignalHub> {
  const { database, epoch } = options;
  const readers = new Set<SignalReader>();
  let sent = (await readHead(database)).seq;
  let running = false;
  let again = false;
  let closed = false;

  function broadcast(frame: string): void {
    for (const reader of readers) if (!reader.send(frame)) readers.delete(reader);
  }

  async function sendNew(): Promise<void> {
    const head = await readHead(database);
    while (sent < head.seq) {
      const signals = await signalsAfter(database, sent, batch);
      if (signals.length === 0) break;
      // A hole would be a mark that nobody hears of: say so, and let every reader take the snapshot.
      if (signals[0]?.seq !== sent + 1) broadcast(resetFrame);
      for (const signal of signals) broadcast(signalFrame(epoch, signal));
      sent = signals.at(-1)?.seq ?? sent;
    }
    const maxLife = await options.maxLife();
    broadcast(heartbeatFrame(head.asOf, sent, maxLife));
  }

  async function run(): Promise<void> {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      do {
        again = false;
        await sendNew();
      } while (again && !closed);
    } catch (error) {
      options.onError(error);
    } finally {
      running = false;
    }
  }

  /** What a reader that stands at `position` has missed; undefined when only the snapshot can tell. */
  async function missed(position: Position): Promise<readonly Signal[] | undefined> {
    if (position.epoch !== epoch || position.seq > sent) return undefined;
    const known = position.seq === 0 ? { tag: 'start' } : await findSignal(database, position.seq);
    if (known?.tag !== position.tag) return undefined;
    const signals = (await signalsAfter(database, position.seq, batch)).filter(
      (signal) => signal.seq <= sent,
    );
    return signals.length === sent - position.seq ? signals : undefined;
  }

  /** Joins in one turn with the last look at `sent`, so that nothing falls between catching up and the live stream. */
  async function join(reader: SignalReader, position: Position): Promise<void> {
    for (let from = position; ; ) {
      const signals = await missed(from);
      if (signals === undefined) {
        readers.add(reader);
        if (!reader.send(resetFrame)) readers.delete(reader);
        return;
      }
      for (const signal of signals) reader.send(signalFrame(epoch, signal));
      const last = signals.at(-1);
      from = last === undefined ? from : { epoch, seq: last.seq, tag: last.tag };
      if (from.seq === sent) {
        readers.add(reader);
        return;
      }
    }
  }

  const timer = setInterval(() => void run(), options.heartbeat ?? 1000);
  return {
    wake: () => void run(),
    add(reader, position) {
      let removed = false;
      if (position === undefined) readers.add(reader);
      else {
        join(reader, position)
          .then(() => removed && readers.delete(reader))
          .catch(options.onError);
      }
      void run();
      return () => {
        removed = true;
        readers.delete(reader);
      };
    },
    get readers() {
      return readers.size;
    },
    close() {
      closed = true;
      clearInterval(timer);
      for (const reader of readers) reader.end();
      readers.clear();
    },
  };
}
