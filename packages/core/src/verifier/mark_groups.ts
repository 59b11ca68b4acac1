// Marks in columns, as the snapshot and the state file hold them: a group for each kind and `by`, whose `below` and `until` run beside
// its `values`. A million marks are a few long lists then, not a million objects; they are added a slice at a time, so that
// whoever has the event loop to share can do it.
import {
  type Mark,
  type MarkBy,
  type MarkGroup,
  type MarkKind,
  type MarkSet,
  parseMarkGroup,
} from './marks.ts';

/** There are more marks than a verifier holds: it must stop calling itself fresh. */
export class FullFault extends Error {
  override readonly name = 'FullFault';

  constructor() {
    super('there are more marks than this verifier holds');
  }
}

/** Undefined where one of them is no group, or one of marks that are not known here: those could not be enforced. */
export function readMarkGroups(value: unknown): readonly MarkGroup[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const groups = value.map(parseMarkGroup);
  return groups.every((group) => group !== undefined) ? groups : undefined;
}

export interface MarkAdder {
  readonly marks: MarkSet;
  /** Milliseconds, the issuer's clock: marks that are over by it are not kept. */
  readonly clock: () => number;
  /** Undefined while nobody listens: then no mark needs to become an object. */
  readonly onNew: () => ((mark: Mark) => void) | undefined;
}

/** Throws FullFault. */
export function addMark({ marks, clock, onNew }: MarkAdder, mark: Mark): void {
  const added = marks.add(mark, clock());
  if (added === 'full') throw new FullFault();
  if (added === 'new') onNew()?.(mark);
}

/** Marks added between two turns of the loop: a few milliseconds. */
const sliceLength = 8_192;

/** Adds all of `groups`; the caller may let others run between the steps. Throws FullFault. */
export function* addGroups(adder: MarkAdder, groups: readonly MarkGroup[]): Generator<undefined, void> {
  for (const group of groups) {
    for (let at = 0; at < group.values.length; at += sliceLength) {
      addSlice(adder, sliceOf(group, at));
      yield;
    }
  }
}

function addSlice(adder: MarkAdder, group: MarkGroup): void {
  if (adder.onNew() !== undefined) {
    for (const mark of marksOf(group)) addMark(adder, mark);
  } else if (adder.marks.load([group], adder.clock()) === 'full') {
    throw new FullFault();
  }
}

function sliceOf(group: MarkGroup, at: number): MarkGroup {
  const { kind, by, values, below, until } = group;
  if (values.length <= sliceLength) return group;
  const slice = <T>(list: readonly T[]): readonly T[] => list.slice(at, at + sliceLength);
  return {
    kind,
    by,
    values: slice(values),
    ...(below === undefined ? {} : { below: slice(below) }),
    ...(until === undefined ? {} : { until: slice(until) }),
  };
}

function* marksOf({ kind, by, values, below, until }: MarkGroup): Generator<Mark> {
  for (let at = 0; at < values.length; at += 1) {
    yield {
      kind,
      by,
      value: values[at]!,
      ...(below === undefined ? {} : { below: below[at]! }),
      ...(until === undefined ? {} : { until: until[at]! }),
    };
  }
}

interface Columns {
  readonly kind: MarkKind;
  readonly by: MarkBy;
  readonly values: string[];
  readonly below?: number[];
  readonly until?: number[];
}

/** The same marks in groups: those with an end stand apart from those without. */
export function groupMarks(marks: Iterable<Mark>): readonly MarkGroup[] {
  const groups = new Map<string, Columns>();
  for (const { kind, by, value, below, until } of marks) {
    const name = `${kind} ${by} ${below === undefined} ${until === undefined}`;
    let group = groups.get(name);
    if (group === undefined) {
      const columns = {
        ...(below === undefined ? {} : { below: [] }),
        ...(until === undefined ? {} : { until: [] }),
      };
      group = { kind, by, values: [], ...columns };
      groups.set(name, group);
    }
    group.values.push(value);
    if (below !== undefined) group.below?.push(below);
    if (until !== undefined) group.until?.push(until);
  }
  return [...groups.values()];
}
