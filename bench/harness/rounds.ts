// Interleaved rounds: A B C A B C …, so that a slow minute of the machine slows everyone. A ratio is the median of the
// ratios inside each round, never one median over another: neighbours in time are what is comparable.
import { median } from './statistics.ts';

export interface Contestant {
  readonly name: string;
  /** One operation; `i` counts from 0 through the whole bench, warm-up included. It must throw when it fails. */
  readonly call: (i: number) => unknown;
  /** For promises: how many run at the same time. @default 1 */
  readonly inFlight?: number;
  readonly asynchronous?: boolean;
}

export interface RoundOptions {
  readonly rounds: number;
  /** Milliseconds a contestant runs in each round. */
  readonly roundTime: number;
  /** Milliseconds before the first round that are not counted, for the compiler. */
  readonly warmUp: number;
}

/** Operations a second, one figure a round. */
export type Rates = ReadonlyMap<string, readonly number[]>;

export async function measure(contestants: readonly Contestant[], options: RoundOptions): Promise<Rates> {
  const rates = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  const cursors = new Map<string, number>();
  const turn = async (contestant: Contestant, time: number): Promise<number> => {
    const from = cursors.get(contestant.name) ?? 0;
    const { calls, elapsed } = contestant.asynchronous
      ? await runAsync(contestant, from, time)
      : runSync(contestant, from, time);
    cursors.set(contestant.name, from + calls);
    return (calls * 1000) / elapsed;
  };
  for (const contestant of contestants) await turn(contestant, options.warmUp);
  for (let round = 0; round < options.rounds; round += 1) {
    for (const contestant of contestants) {
      rates.get(contestant.name)?.push(await turn(contestant, options.roundTime));
    }
  }
  return rates;
}

interface Turn {
  readonly calls: number;
  /** Milliseconds. */
  readonly elapsed: number;
}

/**
 * Milliseconds that count. On one quiet core wall clock and processor time agree; on a machine that others use too,
 * LATCHKEY_BENCH_CLOCK=cpu counts what this process used, its thread pool included.
 */
function clock(): number {
  if (process.env['LATCHKEY_BENCH_CLOCK'] !== 'cpu') return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function runSync({ call }: Contestant, from: number, time: number): Turn {
  const start = performance.now();
  const counted = clock();
  let i = from;
  // The clock is read once in 32 calls: it would be a tenth of the cheapest operation.
  do {
    for (const end = i + 32; i < end; i += 1) call(i);
  } while (performance.now() - start < time);
  return { calls: i - from, elapsed: clock() - counted };
}

async function runAsync({ call, inFlight = 1 }: Contestant, from: number, time: number): Promise<Turn> {
  const start = performance.now();
  const counted = clock();
  let i = from;
  const lane = async (): Promise<void> => {
    while (performance.now() - start < time) {
      const mine = i;
      i += 1;
      await call(mine);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { calls: i - from, elapsed: clock() - counted };
}

export function rateOf(rates: Rates, name: string): number {
  return median(rates.get(name) ?? []);
}

/** The median over the rounds of a's rate divided by b's rate of the same round. */
export function ratioOf(rates: Rates, a: string, b: string): number {
  const [ofA, ofB] = [rates.get(a) ?? [], rates.get(b) ?? []];
  return median(ofA.map((rate, round) => rate / (ofB[round] ?? Number.NaN)));
}
