// The events between two heartbeats. They are held until the heartbeat that closes them is found signed over exactly these, in this
// order, after exactly the position that is applied: until then they are a stranger's words. Each must be the next number of the same
// epoch; a hole, a repetition, one that is not known here or one too many is a StreamFault, and what was held is forgotten.
import { createHash } from 'node:crypto';
import { parseStrictJson } from '../strict_json.ts';
import type { Attestation } from './attestation.ts';
import { type Frame, StreamFault } from './event_stream.ts';
import { type Mark, parseMark } from './marks.ts';
import { isPosition, type Position } from './position.ts';

/** `keys`: the key set is another one. */
export type Change = Mark | 'keys';

export interface ClosedBatch {
  readonly changes: readonly Change[];
  /** After the last of them. */
  readonly position: Position;
}

export interface Batch {
  /** Throws StreamFault. */
  hold(event: Frame): void;
  /** What was held, when `attested` speaks of exactly that; StreamFault otherwise. */
  close(attested: Attestation): ClosedBatch;
}

const mostHeld = 1_000;

export function createBatch(applied: Position): Batch {
  const { epoch } = applied;
  const digest = createHash('sha256');
  const changes: Change[] = [];
  let last = applied;

  return {
    hold(event) {
      if (changes.length >= mostHeld) throw new StreamFault('more events than a batch may hold');
      const seq = last.seq + 1;
      if (!isPosition(event.id, epoch, seq)) throw new StreamFault('the event is not the next one');
      changes.push(readChange(event));
      digest.update(`${event.id}\n${event.event}\n${event.data}\n`);
      last = { epoch, seq, id: event.id };
    },
    close(attested) {
      if (attested.epoch !== epoch || attested.from !== applied.seq || attested.seq !== last.seq)
        throw new StreamFault('the heartbeat closes another batch');
      if (attested.sha256 !== digest.digest('base64url'))
        throw new StreamFault('the events are not those that were signed');
      return { changes, position: last };
    },
  };
}

function readChange(event: Frame): Change {
  const data = readData(event);
  if (event.event === 'keys') return 'keys';
  const mark = parseMark(event.event, data);
  if (mark === undefined) throw new StreamFault('an event is not known here');
  return mark;
}

/** The JSON object that an event carries; StreamFault for anything else. */
export function readData(event: Frame): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseStrictJson(Buffer.from(event.data));
  } catch {
    throw new StreamFault('an event is not JSON');
  }
  if (typeof value !== 'object' || value === null) throw new StreamFault('an event is not an object');
  return value as Record<string, unknown>;
}
