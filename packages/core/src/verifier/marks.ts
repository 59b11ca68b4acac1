// The live set of revocations and stale marks (docs/architecture.md, design section 6). One rule: a token is refused if
// any applicable mark hits it; where both kinds hit, `revoked` is reported. Marks compare version counters, never the
// clocks of two machines. They are only ever added; nothing but time (`until`) removes one, so a replayed or reordered
// stream can make this set larger but never weaker. The set is bounded: when it is full, `add` says so and the caller
// must stop calling itself fresh.
//
// Every request looks here, up to six times, so the marks on identifiers of ours stand in a table made for that (mark_table.ts);
// the others, which are few, in maps (mark_names.ts). At a million marks a look-up in a map waits for memory several times,
// one in the table about once.
import { MarkNames } from './mark_names.ts';
import { createRecentMarks, type MarkSpots, spotsOf } from './mark_recent.ts';
import type { Mark, MarkBy, MarkGroup, MarkHit, MarkKind } from './mark_shape.ts';
import { full, known } from './mark_shard.ts';
import { createMarkSweeper } from './mark_sweeper.ts';
import { fieldOf, MarkTable } from './mark_table.ts';

export { parseMark, parseMarkGroup } from './mark_shape.ts';
export type { Mark, MarkBy, MarkGroup, MarkHit, MarkKind, MarkSpots };
export { spotsOf };

/** What a mark can hit: the claims of an access token, or as many of them as are known. */
export interface MarkedClaims {
  readonly jti?: string;
  readonly sid?: string;
  readonly client_id?: string;
  readonly sub?: string;
  readonly ver?: number;
  readonly roles?: readonly string[];
  readonly rver?: number;
}

export interface MarkSet {
  readonly size: number;
  /** Counts the additions: what no mark hit at one version, none hits while the version is the same. */
  readonly version: number;
  add(mark: Mark, now: number): 'new' | 'known' | 'full';
  /** Adds all of them, without an object for each, up to where the set is full. A mark that is over is passed over. */
  load(groups: readonly MarkGroup[], now: number): 'ok' | 'full';
  /** False: what no mark hit at version `since`, none hits now. For tokens that are seen again while marks arrive. */
  mayHitSince(spots: MarkSpots, since: number): boolean;
  /** `now` in milliseconds. */
  hit(claims: MarkedClaims, kid: string | undefined, now: number): MarkHit | undefined;
  /**
   * Drops what is past its `until`; returns how many. Looks at a bounded part of a large set and goes on from there the next
   * time, so it is to be called often, about once a second: when nothing can be over it returns at once.
   */
  sweep(now: number): number;
  /** May be read with pauses, while marks are added and dropped: what stays all the time is in it. */
  list(): Iterable<Mark>;
}

const defaultLimit = 2_000_000;

export function createMarkSet(limit = defaultLimit): MarkSet {
  const table = new MarkTable();
  const names = {
    jti: new MarkNames('jti'),
    sid: new MarkNames('sid'),
    client: new MarkNames('client'),
    kid: new MarkNames('kid'),
    sub: new MarkNames('sub'),
    role: new MarkNames('role'),
  } satisfies Record<MarkBy, MarkNames>;
  const sweeper = createMarkSweeper([...table.shards, ...Object.values(names)]);
  const recent = createRecentMarks();
  let size = 0;
  let version = 0;

  const put = (
    kind: MarkKind,
    by: MarkBy,
    value: string,
    below: number,
    until: number,
    room: boolean,
  ): number => {
    const field = fieldOf(by, value);
    const done = field === undefined ? undefined : table.add(field, value, kind, below, until, room);
    return done ?? names[by].add(value, kind, below, until, room);
  };

  const addOne = (
    { kind, by }: Pick<Mark, 'kind' | 'by'>,
    value: string,
    below: number | undefined,
    until: number,
    now: number,
  ): 'new' | 'known' | 'full' => {
    if (until <= now) return 'known';
    const versioned = by === 'sub' || by === 'role';
    const atMost = versioned ? (below ?? 0) : Number.POSITIVE_INFINITY;
    const kept = by === 'role' ? 'stale' : by === 'sub' ? kind : 'revoke';
    let replaced = put(kept, by, value, atMost, until, size < limit);
    if (replaced === full) {
      size -= sweeper.makeRoom(now);
      replaced = put(kept, by, value, atMost, until, size < limit);
    }
    if (replaced === full) return 'full';
    if (replaced === known) return 'known';
    sweeper.added(until);
    version += 1;
    recent.added(by, value, version);
    size += 1 - replaced;
    // One that only lasts longer now.
    return replaced > 0 && !versioned ? 'known' : 'new';
  };

  /** Among the identifiers and among the names. */
  const find = (
    by: 'jti' | 'sid' | 'sub',
    others: MarkNames,
    value: string | undefined,
    version: number,
    now: number,
  ): MarkHit | undefined => {
    if (value === undefined) return undefined;
    const named = others.find(value, version, now);
    if (named === 'revoked') return named;
    const field = fieldOf(by, value);
    return (field === undefined ? undefined : table.find(field, value, version, now)) ?? named;
  };

  return {
    get size() {
      return size;
    },
    get version() {
      return version;
    },
    add: (mark, now) => addOne(mark, mark.value, mark.below, mark.until ?? Number.POSITIVE_INFINITY, now),
    load(groups, now) {
      table.reserve(Math.min(Math.max(groups.reduce(addOurs, 0), table.size), limit));
      for (const group of groups) {
        const { values, below, until } = group;
        for (let i = 0; i < values.length; i += 1) {
          const end = until?.[i] ?? Number.POSITIVE_INFINITY;
          if (addOne(group, values[i]!, below?.[i], end, now) === 'full') return 'full';
        }
      }
      return 'ok';
    },
    mayHitSince: recent.mayHit,
    hit(claims, kid, now) {
      if (size === 0) return undefined;
      if (
        find('jti', names.jti, claims.jti, -1, now) !== undefined ||
        find('sid', names.sid, claims.sid, -1, now) !== undefined ||
        (claims.client_id !== undefined && names.client.find(claims.client_id, -1, now) !== undefined) ||
        (kid !== undefined && names.kid.find(kid, -1, now) !== undefined)
      ) {
        return 'revoked';
      }
      // A token without the version counter is taken for the oldest there can be.
      const subject = find('sub', names.sub, claims.sub, claims.ver ?? -1, now);
      if (subject !== undefined) return subject;
      if (names.role.size === 0 || claims.roles === undefined) return undefined;
      for (const role of claims.roles) {
        if (names.role.find(role, claims.rver ?? -1, now) !== undefined) return 'stale';
      }
      return undefined;
    },
    sweep(now) {
      const dropped = sweeper.sweep(now);
      size -= dropped;
      return dropped;
    },
    *list() {
      yield* table.list();
      for (const each of Object.values(names)) yield* each.list();
    },
  };
}

/** The values of a group are alike. */
function addOurs(sum: number, { by, values }: MarkGroup): number {
  const [first] = values;
  return first !== undefined && fieldOf(by, first) !== undefined ? sum + values.length : sum;
}
