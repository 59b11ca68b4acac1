// The set of marks by itself, beside what anybody would write first, a `Map` for each kind of mark. As one JSON line, so that the
// figures can be had from several versions of Node.js:
//   node marks_lookup.ts <marks> [quick]
import { spawnSync } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMarkSet, type MarkGroup, type MarkSet } from '../../packages/core/src/verifier/marks.ts';
import { pin, serverCore } from '../harness/machine.ts';
import { median } from '../harness/statistics.ts';
import { type Request, randomIds, someGroups, someRequests } from './marks_material.ts';

export interface LookupFigures {
  readonly node: string;
  readonly marks: number;
  readonly of: Readonly<Record<'map' | 'ours', StructureFigures>>;
}

export interface StructureFigures {
  /** Nanoseconds for one identifier that no mark hits. */
  readonly one: number;
  /** Nanoseconds for a request's `jti sid sub role client kid`. */
  readonly all: number;
  readonly bytesPerMark: number;
  /** Milliseconds for all marks, from the parallel arrays of a snapshot. */
  readonly load: number;
  /** Milliseconds to drop half of them. */
  readonly sweep: number;
  /** Milliseconds: the longest time in one piece that a sweep, or an addition that makes the set grow, took. */
  readonly longestSweep: number;
  readonly longestAdd: number;
}

interface Structure {
  readonly load: (groups: readonly MarkGroup[]) => void;
  readonly add: (sid: string, until: number) => void;
  readonly one: (sid: string, now: number) => boolean;
  readonly all: (request: Request, now: number) => boolean;
  /** One piece of the work; how many were dropped. */
  readonly sweep: (now: number) => number;
}

const start = 1_790_000_000_000;

function ourStructure(): Structure {
  const set: MarkSet = createMarkSet(4_000_000);
  return {
    load(groups) {
      if (set.load(groups, start) !== 'ok') throw new Error('the marks do not fit');
    },
    add: (value, until) => void set.add({ kind: 'revoke', by: 'sid', value, until }, start),
    one: (sid, now) => set.hit({ sid }, undefined, now) !== undefined,
    all: ({ claims, kid }, now) => set.hit(claims, kid, now) !== undefined,
    sweep: (now) => set.sweep(now),
  };
}

interface Bound {
  readonly below: number;
  readonly until: number;
}

function mapStructure(): Structure {
  const maps: Record<string, Map<string, Bound>> = {};
  for (const by of ['jti', 'sid', 'sub', 'role', 'client', 'kid']) maps[by] = new Map();
  const { jti, sid, sub, role, client, kid } = maps as Record<string, Map<string, Bound>> & object;
  const hits = (
    map: Map<string, Bound> | undefined,
    value: string,
    version: number,
    now: number,
  ): boolean => {
    const bound = map?.get(value);
    return bound !== undefined && version < bound.below && bound.until > now;
  };
  return {
    load(groups) {
      for (const { by, values, below, until } of groups) {
        const map = maps[by];
        for (let i = 0; i < values.length; i += 1) {
          const bound = { below: below?.[i] ?? Infinity, until: until?.[i] ?? Infinity };
          map?.set(values[i] ?? '', bound);
        }
      }
    },
    add: (value, until) => void sid?.set(value, { below: Infinity, until }),
    one: (value, now) => hits(sid, value, -1, now),
    all: ({ claims, kid: key }, now) =>
      hits(jti, claims.jti, -1, now) ||
      hits(sid, claims.sid, -1, now) ||
      hits(sub, claims.sub, claims.ver, now) ||
      hits(role, claims.roles[0] ?? '', claims.rver, now) ||
      hits(client, claims.client_id, -1, now) ||
      hits(kid, key, -1, now),
    sweep(now) {
      let dropped = 0;
      for (const map of Object.values(maps)) {
        for (const [value, { until }] of map) if (until <= now && map.delete(value)) dropped += 1;
      }
      return dropped;
    },
  };
}

const structures = { map: mapStructure, ours: ourStructure };
type Name = keyof typeof structures;
const names = Object.keys(structures) as Name[];

interface Sizes {
  readonly rounds: number;
  /** Look-ups in a round, in batches of fresh strings. */
  readonly lookups: number;
}

/** Small enough for its strings to be in the processor's caches, as those of a request are. */
const batch = 500;

function lookupTimes(built: Readonly<Record<Name, Structure>>, { rounds, lookups }: Sizes) {
  const times = {
    map: { one: [] as number[], all: [] as number[] },
    ours: { one: [] as number[], all: [] as number[] },
  };
  const timed = (work: () => void): number => {
    const begun = performance.now();
    work();
    return ((performance.now() - begun) * 1e6) / batch;
  };
  // The first round is for the compiler.
  for (let round = -1; round < rounds; round += 1) {
    const sums = { map: { one: 0, all: 0 }, ours: { one: 0, all: 0 } };
    for (let done = 0; done < lookups; done += batch) {
      for (const name of names) {
        const { one, all } = built[name];
        const requests = someRequests(batch);
        let hits = 0;
        sums[name].all += timed(() => {
          for (const request of requests) if (all(request, start)) hits += 1;
        });
        const ids = randomIds(batch);
        sums[name].one += timed(() => {
          for (const sid of ids) if (one(sid, start)) hits += 1;
        });
        if (hits > 0) throw new Error(`${name}: a mark hit what it does not name`);
      }
    }
    if (round < 0) continue;
    for (const name of names) {
      times[name].one.push((sums[name].one * batch) / lookups);
      times[name].all.push((sums[name].all * batch) / lookups);
    }
  }
  return times;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function usedBytes(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Half of the marks end one second after the start. */
const ends = (i: number): number => start + (i % 2 === 0 ? 1_000 : 3_600_000);

function buildTimed(name: Name, marks: number) {
  const before = usedBytes();
  // A parsed snapshot stays in memory no longer than it is loaded; a `Map` keeps its strings.
  let groups: readonly MarkGroup[] | undefined = someGroups(marks, ends);
  const structure = structures[name]();
  collect();
  const begun = performance.now();
  structure.load(groups);
  const load = performance.now() - begun;
  groups = undefined;
  return { structure, load, bytesPerMark: (usedBytes() - before) / marks };
}

/** What happens beside the look-ups: half of it ends, then as much comes again, mark by mark. */
function changes({ sweep, add }: Structure, marks: number) {
  const ids = randomIds(Math.floor(marks / 2));
  let longestSweep = 0;
  let total = 0;
  for (let dropped = 1; dropped > 0; ) {
    const begun = performance.now();
    dropped = sweep(start + 2_000);
    const time = performance.now() - begun;
    total += time;
    longestSweep = Math.max(longestSweep, time);
  }
  let longestAdd = 0;
  for (const id of ids) {
    const begun = performance.now();
    add(id, start + 3_600_000);
    longestAdd = Math.max(longestAdd, performance.now() - begun);
  }
  return { sweep: total, longestSweep, longestAdd };
}

function figures(marks: number, quick: boolean): LookupFigures {
  pin(serverCore);
  // Twice: once for the compiler, with a small set.
  for (const name of names) changes(buildTimed(name, 20_000).structure, 20_000);
  const map = buildTimed('map', marks);
  const ours = buildTimed('ours', marks);
  const built = { map: map.structure, ours: ours.structure };
  const times = lookupTimes(built, quick ? { rounds: 3, lookups: 20_000 } : { rounds: 11, lookups: 200_000 });
  const of = (name: Name, { load, bytesPerMark }: { load: number; bytesPerMark: number }) => ({
    one: median(times[name].one),
    all: median(times[name].all),
    bytesPerMark,
    load,
    ...changes(built[name], marks),
  });
  return { node: process.versions.node, marks, of: { map: of('map', map), ours: of('ours', ours) } };
}

/** @throws when the measurement ends in an error. */
export function lookupFiguresOn(node: string, marks: number, quick: boolean): LookupFigures {
  const run = spawnSync(node, [import.meta.filename, String(marks), quick ? 'quick' : 'full'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0) throw new Error(`${node} ended with ${run.status ?? run.signal}`);
  return JSON.parse(run.stdout) as LookupFigures;
}

if (import.meta.main) {
  const [marks, size] = process.argv.slice(2);
  console.log(JSON.stringify(figures(Number(marks), size === 'quick')));
}
