// All marks on identifiers of ours, in 64 shards by hash. Each grows, shrinks and is swept by itself, so that none of it takes longer
// than a sixty-fourth of the whole would: at a million marks well under a millisecond.
import { hashId, idLength, readId } from './mark_id.ts';
import type { Mark, MarkBy, MarkHit, MarkKind } from './mark_shape.ts';
import { everyVersion, type Field, fields, headOf, lastMoment, MarkShard } from './mark_shard.ts';

const shardBits = 6;
const userPrefix = 'usr_';

/** The column of a value that may be an identifier of ours, by its length and beginning; undefined: it is none. */
export function fieldOf(by: MarkBy, value: string): Field | undefined {
  if (value.length === idLength) {
    if (by === 'jti') return fields.jti;
    if (by === 'sid') return fields.sid;
    return by === 'sub' ? fields.sub : undefined;
  }
  const isUser =
    by === 'sub' && value.length === userPrefix.length + idLength && value.startsWith(userPrefix);
  return isUser ? fields.user : undefined;
}

export class MarkTable {
  readonly shards: readonly MarkShard[];
  readonly #counts = new Int32Array(4);
  readonly #id = new Int32Array(4);

  constructor() {
    this.shards = Array.from({ length: 2 ** shardBits }, () => new MarkShard(this.#counts));
  }

  get size(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  find(field: Field, value: string, version: number, now: number): MarkHit | undefined {
    if (this.#counts[field >> 1] === 0 || !readId(value, this.#id)) return undefined;
    const hash = hashId(this.#id, 0);
    return this.#shardOf(hash).find(this.#id, hash, field, version, now);
  }

  /**
   * `below` is infinite where every version is hit. How many marks it took the place of, `known` or `full`; undefined when a
   * mark like this does not fit in here.
   */
  add(
    field: Field,
    value: string,
    kind: MarkKind,
    below: number,
    until: number,
    room: boolean,
  ): number | undefined {
    if (!fits(below, everyVersion) || !fits(until, lastMoment) || !readId(value, this.#id)) return undefined;
    const moment = Math.min(until, lastMoment);
    const head = headOf(field, kind === 'revoke', Math.min(below, everyVersion), moment);
    const hash = hashId(this.#id, 0);
    return this.#shardOf(hash).add(this.#id, hash, head, moment, room);
  }

  /** Makes room for `size` marks at once, which is quicker than growing with them. */
  reserve(size: number): void {
    // Shards are not equally full: four standard deviations.
    const share = size / this.shards.length;
    for (const shard of this.shards) shard.reserve(share + 4 * Math.sqrt(share));
  }

  /** May be read with pauses, while marks are added and dropped: what stays all the time is in it. */
  *list(): Iterable<Mark> {
    for (const shard of this.shards) {
      const marks: Mark[] = [];
      shard.list((tag, id, below, until) => marks.push(markOf(tag, id, below, until)));
      yield* marks;
    }
  }

  #shardOf(hash: number): MarkShard {
    return this.shards[hash >>> (32 - shardBits)]!;
  }
}

/** Infinite does: it becomes the limit itself. */
function fits(value: number, limit: number): boolean {
  return value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value >= 0 && value < limit);
}

function markOf(tag: number, id: string, below: number, until: number): Mark {
  const field = (tag & 6) as Field;
  const by = field === fields.jti ? 'jti' : field === fields.sid ? 'sid' : 'sub';
  return {
    kind: (tag & 1) === 1 ? 'revoke' : 'stale',
    by,
    value: field === fields.user ? userPrefix + id : id,
    ...(by === 'sub' ? { below } : {}),
    ...(until === lastMoment ? {} : { until }),
  };
}
