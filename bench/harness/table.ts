// Plain text tables, and the record that `--json FILE` writes: every figure with its machine.
import { writeFileSync } from 'node:fs';
import { machineLine } from './machine.ts';

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes?: readonly string[];
  /** What a plot is drawn from: goes into the record, is not printed. */
  readonly data?: object;
}

/** First column to the left, the others to the right, as figures stand. */
export function formatTable({ title, columns, rows, notes = [] }: Table): string {
  const widths = columns.map((column, i) =>
    Math.max(column.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('   ');
  const rule = widths.map((width) => '-'.repeat(width)).join('   ');
  return [title, '', line(columns), rule, ...rows.map(line), ...notes.map((note) => `  ${note}`), ''].join(
    '\n',
  );
}

export function printTable(table: Table): void {
  console.log(formatTable(table));
}

/** 12345.6 → '12,346'; small figures keep two decimals. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function formatRatio(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(2)} ×` : '–';
}

export function formatMegabytes(bytes: number | undefined): string {
  return bytes === undefined ? '–' : `${(bytes / 1e6).toFixed(0)} MB`;
}

export function writeRecord(file: string, tables: readonly Table[]): void {
  const record = { machine: machineLine(), at: new Date().toISOString(), tables };
  writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
}
