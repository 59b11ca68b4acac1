// The live set of revocations and stale marks (docs/architecture.md, design section 6). One rule: a token is refused if
// any applicable mark hits it; where both kinds hit, `revoked` is reported. Marks compare version counters, never the
// clocks of two machines. They are only ever added; nothing but time (`until`) removes one, so a replayed or reordered
// stream can make this set larger but never weaker. The set is bounded: when it is full, `add` says so and the caller
// must stop calling itself fresh.

export type MarkKind = 'revoke' | 'stale';
export type MarkBy = 'jti' | 'sid' | 'client' | 'kid' | 'sub' | 'role';

export interface Mark {
  readonly kind: MarkKind;
  readonly by: MarkBy;
  readonly value: string;
  /** Hits tokens whose version counter (`ver` for `sub`, `rver` for `role`) is lower. */
  readonly below?: number;
  /** Milliseconds since the epoch after which no token that it could hit is alive. Absent: for ever. */
  readonly until?: number;
}

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

export type MarkHit = 'revoked' | 'stale';

export interface MarkSet {
  readonly size: number;
  /** Counts the additions: what no mark hit at one version, none hits while the version is the same. */
  readonly version: number;
  add(mark: Mark, now: number): 'new' | 'known' | 'full';
  /** `now` in milliseconds. */
  hit(claims: MarkedClaims, kid: string | undefined, now: number): MarkHit | undefined;
  /** Drops what is past its `until`; returns how many. */
  sweep(now: number): number;
  list(): Iterable<Mark>;
}

/** Several marks on one subject: each holds below its own version and until its own time. */
interface Bound {
  readonly below: number;
  readonly until: number;
  readonly next: Bound | undefined;
}

type Exact = Map<string, number>;
type Versioned = Map<string, Bound>;

const defaultLimit = 2_000_000;

export function createMarkSet(limit = defaultLimit): MarkSet {
  const exact = { jti: new Map(), sid: new Map(), client: new Map(), kid: new Map() } as Record<
    string,
    Exact
  >;
  const { jti, sid, client, kid: kids } = exact as { jti: Exact; sid: Exact; client: Exact; kid: Exact };
  const revokedSub: Versioned = new Map();
  const staleSub: Versioned = new Map();
  const staleRole: Versioned = new Map();
  let size = 0;
  let version = 0;

  const versionedOf = ({ kind, by }: Mark): Versioned =>
    by === 'role' ? staleRole : kind === 'revoke' ? revokedSub : staleSub;

  const addExact = (map: Exact, value: string, until: number): 'new' | 'known' | 'full' => {
    const known = map.get(value);
    if (known === undefined && size >= limit) return 'full';
    if (known !== undefined && known >= until) return 'known';
    version += 1;
    map.set(value, until);
    if (known !== undefined) return 'known';
    size += 1;
    return 'new';
  };

  const addVersioned = (map: Versioned, value: string, below: number, until: number) => {
    let kept: Bound | undefined;
    let dropped = 0;
    for (let bound = map.get(value); bound !== undefined; bound = bound.next) {
      if (bound.below >= below && bound.until >= until) return 'known';
      if (bound.below <= below && bound.until <= until) dropped += 1;
      else kept = { below: bound.below, until: bound.until, next: kept };
    }
    if (dropped === 0 && size >= limit) return 'full';
    version += 1;
    map.set(value, { below, until, next: kept });
    size += 1 - dropped;
    return 'new';
  };

  return {
    get size() {
      return size;
    },
    get version() {
      return version;
    },
    add(mark, now) {
      const until = mark.until ?? Number.POSITIVE_INFINITY;
      if (until <= now) return 'known';
      const map = exact[mark.by];
      if (map !== undefined) return addExact(map, mark.value, until);
      return addVersioned(versionedOf(mark), mark.value, mark.below ?? 0, until);
    },
    hit(claims, kid, now) {
      if (size === 0) return undefined;
      if (
        holds(jti, claims.jti, now) ||
        holds(sid, claims.sid, now) ||
        holds(client, claims.client_id, now) ||
        holds(kids, kid, now) ||
        reaches(revokedSub, claims.sub, claims.ver, now)
      ) {
        return 'revoked';
      }
      if (reaches(staleSub, claims.sub, claims.ver, now)) return 'stale';
      if (staleRole.size === 0 || claims.roles === undefined) return undefined;
      for (const role of claims.roles) if (reaches(staleRole, role, claims.rver, now)) return 'stale';
      return undefined;
    },
    sweep(now) {
      let dropped = 0;
      for (const map of [jti, sid, client, kids]) dropped += sweepExact(map, now);
      for (const map of [revokedSub, staleSub, staleRole]) dropped += sweepVersioned(map, now);
      size -= dropped;
      return dropped;
    },
    *list() {
      for (const by of ['jti', 'sid', 'client', 'kid'] as const) {
        for (const [value, until] of exact[by] ?? []) yield { kind: 'revoke', by, value, ...ending(until) };
      }
      yield* listVersioned(revokedSub, 'revoke', 'sub');
      yield* listVersioned(staleSub, 'stale', 'sub');
      yield* listVersioned(staleRole, 'stale', 'role');
    },
  };
}

function holds(map: Exact, value: string | undefined, now: number): boolean {
  if (map.size === 0 || value === undefined) return false;
  const until = map.get(value);
  return until !== undefined && until > now;
}

/** A token without the version counter is taken for the oldest there can be. */
function reaches(map: Versioned, value: string | undefined, version = -1, now: number): boolean {
  if (map.size === 0 || value === undefined) return false;
  for (let bound = map.get(value); bound !== undefined; bound = bound.next) {
    if (version < bound.below && bound.until > now) return true;
  }
  return false;
}

function sweepExact(map: Exact, now: number): number {
  let dropped = 0;
  for (const [value, until] of map) {
    if (until <= now) {
      map.delete(value);
      dropped += 1;
    }
  }
  return dropped;
}

function sweepVersioned(map: Versioned, now: number): number {
  let dropped = 0;
  for (const [value, first] of map) {
    let kept: Bound | undefined;
    let expired = 0;
    for (let bound: Bound | undefined = first; bound !== undefined; bound = bound.next) {
      if (bound.until <= now) expired += 1;
      else kept = { below: bound.below, until: bound.until, next: kept };
    }
    if (kept === undefined) map.delete(value);
    else if (expired > 0) map.set(value, kept);
    dropped += expired;
  }
  return dropped;
}

function* listVersioned(map: Versioned, kind: MarkKind, by: MarkBy): Iterable<Mark> {
  for (const [value, first] of map) {
    for (let bound: Bound | undefined = first; bound !== undefined; bound = bound.next) {
      yield { kind, by, value, below: bound.below, ...ending(bound.until) };
    }
  }
}

function ending(until: number): { until?: number } {
  return until === Number.POSITIVE_INFINITY ? {} : { until };
}

const kindsOf: Record<string, readonly string[] | undefined> = {
  jti: ['revoke'],
  sid: ['revoke'],
  client: ['revoke'],
  kid: ['revoke'],
  sub: ['revoke', 'stale'],
  role: ['stale'],
};

/**
 * A mark as it came over the wire, or undefined when it is none. A kind of mark this version does not know is none: the
 * caller must then stop calling itself fresh, because it cannot enforce what it was told.
 */
export function parseMark(kind: unknown, value: unknown): Mark | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { by, value: marked, below, until } = value as Record<string, unknown>;
  if (typeof by !== 'string' || !Object.hasOwn(kindsOf, by) || !kindsOf[by]?.includes(kind as string))
    return undefined;
  if (typeof marked !== 'string' || marked === '' || marked.length > 512) return undefined;
  const versioned = by === 'sub' || by === 'role';
  if (versioned ? !isCount(below) : below !== undefined) return undefined;
  if (until !== undefined && !isCount(until)) return undefined;
  return {
    kind: kind as MarkKind,
    by: by as MarkBy,
    value: marked,
    ...(versioned ? { below: below as number } : {}),
    ...(until === undefined ? {} : { until }),
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
