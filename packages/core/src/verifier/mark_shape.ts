// What a mark is, and reading one that came over the wire.

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

/** Many marks of one kind as a snapshot has them: `below` and `until` run beside `values`. */
export interface MarkGroup {
  readonly kind: MarkKind;
  readonly by: MarkBy;
  readonly values: readonly string[];
  /** Present for `sub` and `role`, and only for them. */
  readonly below?: readonly number[];
  /** Absent: all of them for ever. */
  readonly until?: readonly number[];
}

export type MarkHit = 'revoked' | 'stale';

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
  if (!isRecord(value)) return undefined;
  const { by, value: marked, below, until } = value;
  if (!isKindBy(kind, by) || !isValue(marked)) return undefined;
  if (isVersioned(by) ? !isCount(below) : below !== undefined) return undefined;
  if (until !== undefined && !isCount(until)) return undefined;
  return {
    kind: kind as MarkKind,
    by: by as MarkBy,
    value: marked,
    ...(below === undefined ? {} : { below: below as number }),
    ...(until === undefined ? {} : { until }),
  };
}

/** The same for a group of a snapshot. Makes no object for any of its marks; the group keeps the arrays it was given. */
export function parseMarkGroup(value: unknown): MarkGroup | undefined {
  if (!isRecord(value)) return undefined;
  const { kind, by, values, below, until } = value;
  if (!isKindBy(kind, by) || !Array.isArray(values) || !values.every(isValue)) return undefined;
  const counted = (list: unknown): list is readonly number[] =>
    Array.isArray(list) && list.length === values.length && list.every(isCount);
  if (isVersioned(by) ? !counted(below) : below !== undefined) return undefined;
  if (until !== undefined && !counted(until)) return undefined;
  return {
    kind: kind as MarkKind,
    by: by as MarkBy,
    values,
    ...(below === undefined ? {} : { below: below as readonly number[] }),
    ...(until === undefined ? {} : { until }),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isKindBy(kind: unknown, by: unknown): boolean {
  if (typeof by !== 'string' || !Object.hasOwn(kindsOf, by)) return false;
  return kindsOf[by]?.includes(kind as string) ?? false;
}

function isVersioned(by: unknown): boolean {
  return by === 'sub' || by === 'role';
}

function isValue(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 512;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
