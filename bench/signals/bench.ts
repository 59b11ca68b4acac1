// Signals: how long a revocation takes to all verifiers, what the check costs beside introspection and a Redis denylist, and what each
// of them does when the one it depends on is away.
import type { BenchOptions } from '../harness/options.ts';
import { percentile } from '../harness/statistics.ts';
import { formatMegabytes, formatNumber, type Table } from '../harness/table.ts';
import { type FleetOptions, measurePropagation, type Propagation } from './fleet.ts';
import { benchMarks } from './marks.ts';
import { measureOutages } from './outages.ts';
import { measureSideBySide } from './side_by_side.ts';
import { counted } from './words.ts';

/** Up to forty verify every signature; the others only read. */
function fleetOf(verifiers: number): FleetOptions {
  const full = Math.min(verifiers, 40);
  return { light: verifiers - full, full, registered: Math.floor(full / 4) };
}

async function propagationTable(): Promise<Table> {
  const results: Propagation[] = [];
  for (const verifiers of [1, 10, 100, 1000])
    results.push(await measurePropagation(fleetOf(verifiers), { revocations: 150, rate: 10 }));
  const of = ({ last }: Propagation, p: number): number => percentile(last, p);
  return {
    title: 'From the answer of the revoking call to the moment at which every connected verifier enforces it',
    columns: [
      'verifiers',
      'p50 ms',
      'p99 ms',
      'worst ms',
      'missed',
      'server µs a revocation',
      'server memory',
    ],
    rows: results.map((result) => [
      counted(result.verifiers),
      formatNumber(of(result, 50)),
      formatNumber(of(result, 99)),
      formatNumber(of(result, 100)),
      String(result.missed),
      formatNumber(percentile(result.receipts.took, 50)),
      formatNumber(result.processor),
      formatMegabytes(result.memory),
    ]),
    notes: [
      '150 revocations, ten a second; up to 40 full verifiers, a quarter of them registered, the others read the stream; receipt: from a revoking call with `?wait=applied` to its answer, when all registered ones have applied it; heartbeats and upkeep are in the processor time',
    ],
    data: {
      propagation: results.map((result) => ({
        verifiers: result.verifiers,
        p50: of(result, 50),
        p99: of(result, 99),
        worst: of(result, 100),
      })),
    },
  };
}

export async function benchSignals(options: BenchOptions): Promise<readonly Table[]> {
  const roundTime = Math.max(options.roundTime, 2000);
  return [
    await propagationTable(),
    await measureSideBySide({ ...options, roundTime }),
    ...(await measureOutages()),
    ...(await benchMarks(options)),
  ];
}
