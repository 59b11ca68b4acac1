// The live set of marks at three sizes: what a look-up, a request, a mark, a snapshot and a sweep cost, beside a `Map`.
import type { BenchOptions } from '../harness/options.ts';
import { formatNumber, type Table } from '../harness/table.ts';
import { type LookupFigures, lookupFiguresOn } from './marks_lookup.ts';
import { throughputFiguresOn } from './marks_throughput.ts';

const sizes = [10_000, 100_000, 1_000_000] as const;

function lookupRows({ marks, of }: LookupFigures): readonly (readonly string[])[] {
  return (['map', 'ours'] as const).map((name) => {
    const { one, all, bytesPerMark, load, sweep, longestSweep, longestAdd } = of[name];
    return [
      `${marks.toLocaleString('en-US')} marks, ${name === 'map' ? 'Map' : 'latchkey'}`,
      ...[one, all, bytesPerMark, load, sweep, longestSweep, longestAdd].map(formatNumber),
    ];
  });
}

/** Sizes and times are its own: the rounds of the options are for the verifications. */
export async function benchMarks({ rounds, roundTime }: BenchOptions): Promise<readonly Table[]> {
  const quick = rounds * roundTime < 2_500;
  const lookups = sizes.flatMap((marks) => lookupRows(lookupFiguresOn(process.execPath, marks, quick)));
  const throughput = (['distinct', 'repeated'] as const).map((traffic) => {
    const { rate, still, arriving } = throughputFiguresOn(process.execPath, traffic, {
      marks: 1_000_000,
      quick,
    });
    return [`ES256, ${traffic}`, formatNumber(rate), still.toFixed(3), arriving.toFixed(3)];
  });
  return [
    {
      title: 'The live set of marks: fresh identifiers that none of them hits',
      columns: [
        '',
        'one, ns',
        'all six, ns',
        'bytes a mark',
        'load, ms',
        'sweep of half, ms',
        'longest',
        'longest addition, ms',
      ],
      rows: lookups,
      notes: ['all six: jti, sid, sub, role, client and kid of one request; longest: in one piece'],
    },
    {
      title: 'Verifications with 1,000,000 marks, of those without',
      columns: ['', 'without, a second', 'marks at rest', '3,000 a second arriving'],
      rows: throughput,
    },
  ];
}
