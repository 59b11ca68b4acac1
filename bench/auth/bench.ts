// Auth servers: access tokens from a living session, sign-ins, the first minute, idle memory; and the limits of the
// machine they are to be read against.
import type { LoadResult } from '../harness/load.ts';
import type { BenchOptions } from '../harness/options.ts';
import { median } from '../harness/statistics.ts';
import { formatMegabytes, formatNumber, formatRatio, type Table } from '../harness/table.ts';
import { firstSignIns, idleMemory } from './first_sign_in.ts';
import { startLatchkey } from './latchkey.ts';
import { rawCommitRate, rawHashRate } from './raw_limits.ts';
import { chains, type RefreshResults, refreshRounds } from './refresh.ts';
import { signInRounds } from './sign_in.ts';
import { type AuthSystem, startBetterAuth, startOidcProvider } from './systems.ts';

const pinnedStarters = [
  (core: number) => startLatchkey({ core }),
  (core: number) => startOidcProvider(core),
  (core: number) => startBetterAuth(core),
];

const medianRate = (results: readonly LoadResult[]): number => median(results.map(({ rate }) => rate));
const medianP99 = (results: readonly LoadResult[]): number => median(results.map(({ p99 }) => p99));

/** The median over the rounds of our rate divided by theirs. */
export function refreshLead(results: RefreshResults, over: string): number {
  const [ours, theirs] = [results.get('latchkey') ?? [], results.get(over) ?? []];
  return median(ours.map(({ rate }, round) => rate / (theirs[round]?.rate ?? Number.NaN)));
}

export function measureRefreshes(options: BenchOptions): Promise<RefreshResults> {
  return refreshRounds(pinnedStarters, options);
}

async function refreshTable(options: BenchOptions): Promise<Table> {
  const results = await measureRefreshes({ ...options, roundTime: Math.max(options.roundTime, 2000) });
  const rows = [...results].map(([name, rounds]) => [
    name,
    formatNumber(medianRate(rounds)),
    formatNumber(medianP99(rounds)),
    formatNumber(median(rounds.map(({ processor }) => processor))),
    formatRatio(refreshLead(results, name)),
  ]);
  return {
    title: `Access tokens from a living session, ${chains} clients with their own chains, server on one core`,
    columns: ['', 'a second', 'p99 ms', 'server µs each', 'latchkey is'],
    rows,
    notes: ['latchkey and oidc-provider rotate durably each time; Better Auth turns a session into a token'],
  };
}

function databaseTable({ rounds, roundTime }: BenchOptions): Table {
  const groups = [1, 32];
  const rates = groups.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [i, group] of groups.entries()) rates[i]?.push(rawCommitRate(group, roundTime));
  }
  return {
    title: 'node:sqlite, WAL, synchronous FULL: durable row updates',
    columns: ['', 'a second'],
    rows: groups.map((group, i) => [
      group === 1 ? 'one a commit' : `${group} a commit`,
      formatNumber(median(rates[i] ?? [])),
    ]),
  };
}

async function signInTable({ rounds, roundTime }: BenchOptions): Promise<Table> {
  const time = Math.max(roundTime, 2000);
  const system = await startLatchkey();
  try {
    const measured = await signInRounds(system, { rounds: Math.min(rounds, 3), roundTime: time });
    const rows = [
      [
        'raw argon2id, all cores',
        formatNumber(median(measured.map(({ rawHashes }) => rawHashes))),
        '–',
        '1.00 ×',
      ],
      [
        'latchkey sign-ins',
        formatNumber(medianRate(measured.map(({ signIns }) => signIns))),
        formatNumber(medianP99(measured.map(({ signIns }) => signIns))),
        formatRatio(median(measured.map(({ signIns, rawHashes }) => signIns.rate / rawHashes))),
      ],
      [
        '… and 100 refreshes/s beside them',
        formatNumber(medianRate(measured.map(({ refreshes }) => refreshes))),
        formatNumber(medianP99(measured.map(({ refreshes }) => refreshes))),
        '',
      ],
    ];
    return { title: 'Sign-ins on all cores', columns: ['', 'a second', 'p99 ms', 'of raw'], rows };
  } finally {
    await system.child.stop();
  }
}

export const freshStarters: ReadonlyMap<string, () => Promise<AuthSystem>> = new Map([
  ['latchkey', () => startLatchkey()],
  ['Better Auth', () => startBetterAuth()],
]);

async function firstMinuteTable({ rounds }: BenchOptions): Promise<Table> {
  const starts = await firstSignIns(freshStarters, rounds);
  const rows: string[][] = [];
  for (const [name, start] of [...freshStarters, ['oidc-provider', () => startOidcProvider()] as const]) {
    const system = await start();
    const { server, hasher } = await idleMemory(system);
    await system.child.stop();
    const first = starts.get(name);
    rows.push([
      name,
      first === undefined ? '–' : formatNumber(median(first)),
      formatMegabytes(server),
      formatMegabytes(hasher),
    ]);
  }
  return {
    title: 'An empty folder: from spawn to the first sign-in, and memory after ten idle seconds',
    columns: ['', 'first sign-in ms', 'server', 'its hasher'],
    rows,
  };
}

export async function benchAuth(options: BenchOptions): Promise<readonly Table[]> {
  const hashes = formatNumber(await rawHashRate(1000));
  console.error(`auth: this machine makes ${hashes} argon2id hashes a second`);
  return [
    await refreshTable(options),
    databaseTable(options),
    await signInTable(options),
    await firstMinuteTable(options),
  ];
}
