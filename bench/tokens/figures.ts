// The token figures that proofs judge, as one JSON line, so that they can be had from several versions of Node.js:
//   node figures.ts distinct|repeated|sign [quick]
import { spawnSync } from 'node:child_process';
import { rateOf, ratioOf } from '../harness/rounds.ts';
import { bareName } from './bare.ts';
import { distinctRates, peersIn, repeatedRates, signRates } from './bench.ts';
import { oursName } from './ours.ts';

export type FigureKind = 'distinct' | 'repeated' | 'sign';

export interface TokenFigures {
  readonly node: string;
  readonly rate: number;
  /** Of the bare node:crypto call, where it was measured. */
  readonly ofBare: number | null;
  /** Our rate over each peer's, in the same rounds. */
  readonly over: Readonly<Record<string, number>>;
}

async function figures(kind: FigureKind, quick: boolean): Promise<TokenFigures> {
  const options = { names: [], json: undefined, rounds: quick ? 3 : 11, roundTime: quick ? 150 : 500 };
  const measured =
    kind === 'distinct'
      ? await distinctRates('ES256', options)
      : kind === 'repeated'
        ? await repeatedRates(options)
        : await signRates('ES256', options);
  return {
    node: process.versions.node,
    rate: rateOf(measured, oursName),
    ofBare: measured.has(bareName) ? ratioOf(measured, oursName, bareName) : null,
    over: Object.fromEntries(peersIn(measured).map((peer) => [peer, ratioOf(measured, oursName, peer)])),
  };
}

/** The Node.js programs to measure on: `LATCHKEY_NODES`, paths separated by commas or spaces; otherwise this one. */
export function nodesToProve(): readonly string[] {
  const listed = (process.env['LATCHKEY_NODES'] ?? '').split(/[,\s]+/).filter((path) => path !== '');
  return listed.length === 0 ? [process.execPath] : listed;
}

/** @throws when the measurement ends in an error. */
export function figuresOn(node: string, kind: FigureKind, quick: boolean): TokenFigures {
  const run = spawnSync(node, [import.meta.filename, kind, quick ? 'quick' : 'full'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0) throw new Error(`${node} ended with ${run.status ?? run.signal}`);
  return JSON.parse(run.stdout) as TokenFigures;
}

if (import.meta.main) {
  const [kind, size] = process.argv.slice(2);
  console.log(JSON.stringify(await figures(kind as FigureKind, size === 'quick')));
  process.exit(0);
}
