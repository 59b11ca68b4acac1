// `node bench/signals/fill.ts BENCH.json [PROOFS.json]`: draws the plot and writes the figures into docs/revocation.md, between the markers
// that name them. BENCH.json comes from `npm run bench -- signals --json FILE`, PROOFS.json from `npm run prove -- signals --json`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Table } from '../harness/table.ts';
import { drawSignals, type PlotData } from './plot.ts';

interface BenchRecord {
  readonly machine: string;
  readonly tables: readonly Table[];
}

interface ProofRecord {
  readonly machine: string;
  readonly proofs: readonly { readonly name: string; readonly figure: string; readonly pass: boolean }[];
}

const docs = join(import.meta.dirname, '../../docs');
const page = join(docs, 'revocation.md');
const [benchFile, proofFile] = process.argv.slice(2);
if (benchFile === undefined) {
  console.error('hint: node bench/signals/fill.ts BENCH.json [PROOFS.json]');
  process.exit(2);
}

const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;
const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function markdown({ title, columns, rows, notes = [] }: Table): string {
  const rule = columns.map((_, i) => (i === 0 ? '---' : '---:'));
  const lines = [`**${title}**`, '', row(columns), row(rule), ...rows.map(row)];
  return [...lines, ...notes.map((note) => `\n${note}.`)].join('\n');
}

function proofTable({ machine, proofs }: ProofRecord): string {
  const lines = proofs.map(({ name, figure, pass }) =>
    row([`\`${name}\``, figure, pass ? 'holds' : '**fails**']),
  );
  return [machine, '', row(['proof', 'figure', '']), row(['---', '---', '---']), ...lines].join('\n');
}

const { machine, tables } = read<BenchRecord>(benchFile);
const withData = (key: string): readonly Table[] =>
  tables.filter(({ data }) => data !== undefined && key in data);
const places: Record<string, string> = {
  machine: `${machine}.`,
  plot: '![Revocation measured: propagation, cost, and what happens when the auth server is killed](images/signals.svg)',
  propagation: withData('propagation').map(markdown).join('\n\n'),
  'side by side': withData('sideBySide').map(markdown).join('\n\n'),
  outages: [...withData('killed'), ...withData('hung')].map(markdown).join('\n\n'),
  marks: tables
    .filter(({ data }) => data === undefined)
    .map(markdown)
    .join('\n\n'),
  ...(proofFile === undefined ? {} : { proofs: proofTable(read<ProofRecord>(proofFile)) }),
};

const plot = Object.assign({}, ...tables.map(({ data }) => data)) as PlotData;
writeFileSync(join(docs, 'images', 'signals.svg'), drawSignals(plot));
let text = readFileSync(page, 'utf8');
for (const [name, result] of Object.entries(places)) {
  const place = new RegExp(`(<!-- results: ${name} -->\\n)[\\s\\S]*?(\\n<!-- end -->)`);
  if (result !== '') text = text.replace(place, (_, before, after) => `${before}\n${result}\n${after}`);
}
writeFileSync(page, text);
