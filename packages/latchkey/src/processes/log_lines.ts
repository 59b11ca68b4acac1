// From what children write to what a person wants to see: warnings and worse, one line each, with who said it. JSON in
// pino's form is read; anything else that comes on standard error counts as a warning.
import { printable, styled } from '../terminal/print.ts';

export interface LogLine {
  readonly level: number;
  readonly text: string;
}

const names: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const silentFields = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'name', 'v']);

/** Splits a stream into lines; what is not ended yet waits for its end. */
export function lineSplitter(onLine: (line: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onLine(line);
  };
}

export function readLogLine(line: string, stream: 'out' | 'err'): LogLine {
  if (line.startsWith('{')) {
    try {
      return fromPino(JSON.parse(line) as Record<string, unknown>);
    } catch {
      // Not JSON after all.
    }
  }
  return { level: stream === 'err' ? 40 : 30, text: line };
}

function fromPino(record: Record<string, unknown>): LogLine {
  const level = typeof record['level'] === 'number' ? record['level'] : 30;
  const details = Object.entries(record)
    .filter(([field, value]) => !silentFields.has(field) && (typeof value !== 'object' || field === 'err'))
    .map(([field, value]) => `${field}=${field === 'err' ? errorText(value) : String(value)}`);
  return { level, text: [String(record['msg'] ?? ''), ...details].filter((part) => part !== '').join('  ') };
}

function errorText(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? String((value as { message?: unknown }).message ?? '')
    : String(value);
}

/** `12:30:05  gateway  warn  upstream is down  upstream=…` */
export function formatLogLine(name: string, width: number, { level, text }: LogLine): string {
  const time = new Date().toTimeString().slice(0, 8);
  const word = (names[level] ?? String(level)).padEnd(5);
  const colour = level >= 50 ? 'red' : level >= 40 ? 'yellow' : 'dim';
  return `${styled('dim', time)}  ${name.padEnd(width)}  ${styled(colour, word)}  ${printable(text)}`;
}
