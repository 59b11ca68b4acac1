// What a reader that joins has missed, in one batch with a signature of its own. Readers come back in herds, all from the same
// position: the answer is kept until something new is said, so that a herd costs one read and one signature.
import type { Database } from '../storage/database.ts';
import { findSignal, signalsAfter } from '../storage/signals.ts';
import { type Batch, batchOf, type Position } from './frames.ts';

/** How far everything has been said. */
export interface Said {
  readonly seq: number;
  /** Milliseconds, the database's clock. */
  readonly asOf: number;
  /** Seconds. */
  readonly maxLife: number;
}

export interface CatchUpOptions {
  readonly database: Database;
  readonly epoch: string;
  readonly batchSize: number;
  readonly said: () => Said;
  /** The batch as it goes over the wire, closed by a heartbeat. */
  readonly closing: (batch: Batch, said: Said) => Buffer;
}

export interface Missed {
  readonly frames: Buffer;
  /** Where the reader stands after them. */
  readonly position: Position;
}

export interface CatchUp {
  /** Undefined when only the snapshot can tell. */
  (from: Position): Promise<Missed | undefined>;
  /** Nothing is missed: the heartbeat for a reader that begins now. */
  now(): Buffer;
}

/** Answers that are kept; positions are the readers' words, and a hostile one can make up many. */
const maxKept = 32;

export function createCatchUp(options: CatchUpOptions): CatchUp {
  const { database, epoch, batchSize } = options;
  const kept = new Map<string, Promise<Missed | undefined>>();
  let keptFor: Said | undefined;
  let beginning: Buffer | undefined;

  /** What is kept belongs to one state. */
  function renew(): Said {
    const said = options.said();
    if (said !== keptFor) {
      keptFor = said;
      kept.clear();
      beginning = undefined;
    }
    return said;
  }

  async function read(from: Position, said: Said): Promise<Missed | undefined> {
    const known = from.seq === 0 ? { tag: 'start' } : await findSignal(database, from.seq);
    if (known?.tag !== from.tag) return undefined;
    const count = said.seq - from.seq;
    if (count > batchSize) return undefined;
    const signals = count === 0 ? [] : await signalsAfter(database, from.seq, count);
    if (signals.length !== count || (signals.at(-1)?.seq ?? from.seq) !== said.seq) return undefined;
    const frames = options.closing(batchOf(epoch, from.seq, signals), said);
    return { frames, position: { epoch, seq: said.seq, tag: signals.at(-1)?.tag ?? from.tag } };
  }

  const catchUp = async (from: Position): Promise<Missed | undefined> => {
    const said = renew();
    if (from.epoch !== epoch || from.seq > said.seq) return undefined;
    const name = `${from.seq}-${from.tag}`;
    const before = kept.get(name);
    if (before !== undefined) return await before;
    const missed = read(from, said);
    if (kept.size < maxKept) kept.set(name, missed);
    return await missed;
  };

  return Object.assign(catchUp, {
    now() {
      const said = renew();
      beginning ??= options.closing(batchOf(epoch, said.seq, []), said);
      return beginning;
    },
  });
}
