// The live marks as the snapshot shows them: in columns, grouped by kind and by what they hit. Kept between snapshots, so
// that a new one costs only what has come since. Bounded by what is alive: expired marks leave.
import type { Signal } from '../storage/signals.ts';
import type { MarkGroup } from './frames.ts';

interface Columns {
  readonly kind: string;
  readonly by: string;
  values: string[];
  below: number[] | undefined;
  until: number[] | undefined;
}

export interface MarkTable {
  /** Signals in the order of their numbers; `keys` are no marks and are passed over. */
  add(signals: readonly Signal[]): void;
  /** Whether some mark is not alive any more at `now` (milliseconds). */
  hasExpired(now: number): boolean;
  dropExpired(now: number): void;
  /** Always in the same order, so that two servers make the same bytes of the same set. */
  groups(): MarkGroup[];
}

export function createMarkTable(): MarkTable {
  const table = new Map<string, Columns>();
  let earliest = Number.POSITIVE_INFINITY;

  function columnsFor(signal: Signal): Columns {
    // Marks that say the same things stand together: one group for each kind and `by`, as long as they all do.
    const name = `${signal.kind} ${signal.by} ${signal.below !== null} ${signal.until !== null}`;
    const known = table.get(name);
    if (known !== undefined) return known;
    const made = {
      kind: signal.kind,
      by: signal.by ?? '',
      values: [],
      below: signal.below === null ? undefined : [],
      until: signal.until === null ? undefined : [],
    };
    table.set(name, made);
    return made;
  }

  function dropFrom(columns: Columns, now: number): void {
    const { until } = columns;
    if (until === undefined) return;
    const alive = (_: unknown, at: number) => (until[at] ?? 0) > now;
    columns.values = columns.values.filter(alive);
    columns.below = columns.below?.filter(alive);
    columns.until = until.filter(alive);
    for (const end of columns.until) if (end < earliest) earliest = end;
  }

  return {
    add(signals) {
      for (const signal of signals) {
        if (signal.kind === 'keys') continue;
        const columns = columnsFor(signal);
        columns.values.push(signal.value ?? '');
        if (signal.below !== null) columns.below?.push(signal.below);
        if (signal.until !== null) columns.until?.push(signal.until);
        earliest = Math.min(earliest, signal.until ?? earliest);
      }
    },
    hasExpired: (now) => earliest <= now,
    dropExpired(now) {
      if (earliest > now) return;
      earliest = Number.POSITIVE_INFINITY;
      for (const [name, columns] of table) {
        dropFrom(columns, now);
        if (columns.values.length === 0) table.delete(name);
      }
    },
    groups() {
      const names = [...table.keys()].sort();
      return names.map((name) => {
        const { kind, by, values, below, until } = table.get(name) as Columns;
        return {
          ...{ kind, by, values },
          ...(below === undefined ? {} : { below }),
          ...(until === undefined ? {} : { until }),
        };
      });
    },
  };
}
