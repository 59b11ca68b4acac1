// What it costs to know that a token was not taken back: from the signals in memory, by introspection, by a look-up in Redis. The same
// service and the same requests; rounds are interleaved.
import { buildRequest, openConnection } from '../harness/http_connection.ts';
import { type Client, closedLoop, closedLoopOn, type LoadResult } from '../harness/load.ts';
import { clientCore, pin, processorTime } from '../harness/machine.ts';
import type { BenchOptions } from '../harness/options.ts';
import { median } from '../harness/statistics.ts';
import { formatNumber, formatRatio, type Table } from '../harness/table.ts';
import { type Guarded, type GuardedWorld, startGuardedWorld } from './guards.ts';
import { bearer } from './stage.ts';

const clientCount = 32;

interface Round extends LoadResult {
  /** Microseconds of processor time for each request. */
  readonly processor: number;
  readonly store: number;
}

function clientsOf({ port, name }: Guarded, { tokens }: GuardedWorld): readonly Client[] {
  const requests = tokens.map((token) =>
    buildRequest({ method: 'GET', path: '/hello', headers: bearer(token) }),
  );
  let next = 0;
  return Array.from({ length: clientCount }, () => {
    const connection = openConnection(port);
    return async () => {
      next = (next + 1) % requests.length;
      const answer = await connection.send(requests[next] ?? '');
      if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${answer.body}`);
    };
  });
}

async function oneRound({ child, store }: Guarded, clients: readonly Client[], time: number): Promise<Round> {
  const { pid } = store();
  const before = processorTime(pid);
  const result = await closedLoopOn(child.pid, clients, time);
  return { ...result, store: ((processorTime(pid) - before) * 1000) / result.requests };
}

export async function measureSideBySide({ rounds, roundTime }: BenchOptions): Promise<Table> {
  const world = await startGuardedWorld();
  pin(clientCore);
  try {
    const all = world.guarded.map((guarded) => ({
      guarded,
      clients: clientsOf(guarded, world),
      results: [] as Round[],
    }));
    for (const { clients } of all) await closedLoop(clients, roundTime);
    for (let round = 0; round < rounds; round += 1) {
      for (const { guarded, clients, results } of all)
        results.push(await oneRound(guarded, clients, roundTime));
    }
    return sideBySideTable(all);
  } finally {
    pin('all');
    await world.stop();
  }
}

function sideBySideTable(all: readonly { guarded: Guarded; results: readonly Round[] }[]): Table {
  const ours = all[0]?.results ?? [];
  const of = (results: readonly Round[], pick: (round: Round) => number): number => median(results.map(pick));
  return {
    title:
      'One endpoint, three ways to know that a token was not taken back: 1,000 tokens in circulation, 10,000 taken back',
    columns: ['', 'requests/s', 'p99 ms', 'service µs each', 'the one it asks µs each', 'signals are'],
    rows: all.map(({ guarded, results }, i) => [
      guarded.name,
      formatNumber(of(results, ({ rate }) => rate)),
      formatNumber(of(results, ({ p99 }) => p99)),
      formatNumber(of(results, ({ processor }) => processor)),
      i === 0 ? 'asks nobody' : formatNumber(of(results, ({ store }) => store)),
      formatRatio(median(results.map(({ rate }, round) => (ours[round]?.rate ?? Number.NaN) / rate))),
    ]),
    notes: [
      'The service has a core to itself; whoever it asks runs on the other core, beside the clients, with no network between',
    ],
    data: {
      sideBySide: all.map(({ guarded, results }) => ({
        name: guarded.name,
        rate: of(results, ({ rate }) => rate),
      })),
    },
  };
}
