// `node bench/readme.ts FILE.json …`: writes the results of `npm run bench -- … --json FILE.json` into bench/README.md, between the
// markers that name them. Token results of several versions of Node.js stand side by side.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Table } from './harness/table.ts';

interface BenchRecord {
  readonly machine: string;
  readonly tables: readonly Table[];
}

const file = join(import.meta.dirname, 'README.md');
const records = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')) as BenchRecord);

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function markdown({ title, columns, rows, notes = [] }: Table): string {
  const rule = columns.map((_, i) => (i === 0 ? '---' : '---:'));
  const lines = [`**${title}**`, '', row(columns), row(rule), ...rows.map(row)];
  return [...lines, ...notes.map((note) => `\n${note}.`)].join('\n');
}

function nodeOf({ machine }: BenchRecord): string {
  return /Node\.js [\d.]+/.exec(machine)?.[0] ?? 'Node.js';
}

/** Rates and leads of all records that hold the same tables, in one. */
function besideEachOther(same: readonly BenchRecord[]): string {
  const columns = ['', ...same.flatMap((record) => [nodeOf(record), 'latchkey is'])];
  const lines = [row(columns), row(columns.map((_, i) => (i === 0 ? '---' : '---:')))];
  for (const [t, table] of (same[0]?.tables ?? []).entries()) {
    lines.push(row([`**${table.title}**`, ...columns.slice(1).map(() => '')]));
    for (const [r, first] of table.rows.entries()) {
      const cells = same.flatMap(({ tables }) => [
        tables[t]?.rows[r]?.[1] ?? '',
        tables[t]?.rows[r]?.[3] ?? '',
      ]);
      lines.push(row([first[0] ?? '', ...cells]));
    }
  }
  return lines.join('\n');
}

const isTokens = ({ tables }: BenchRecord): boolean => tables.some(({ title }) => title.startsWith('Verify'));
const withTitle = (start: string): readonly BenchRecord[] =>
  records.filter(({ tables }) => tables.some(({ title }) => title.startsWith(start)));
const plain = (found: readonly BenchRecord[]): string =>
  found.map((record) => [record.machine, ...record.tables.map(markdown)].join('\n\n')).join('\n\n');

const results: Readonly<Record<string, string>> = {
  tokens: besideEachOther(records.filter(isTokens)),
  auth: plain(withTitle('Access tokens')),
  sessions: plain(withTitle('One endpoint')),
};

let text = readFileSync(file, 'utf8');
for (const [name, result] of Object.entries(results)) {
  const given = name === 'tokens' ? records.some(isTokens) : result !== '';
  const place = new RegExp(`(<!-- results: ${name} -->\\n)[\\s\\S]*?(\\n<!-- end -->)`);
  if (given)
    text = text.replace(place, (_, before: string, after: string) => `${before}\n${result}\n${after}`);
}
writeFileSync(file, text);
