// The options that every bench knows. Defaults end each bench in a minute or two; longer rounds for quieter figures.
import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly names: readonly string[];
  readonly rounds: number;
  /** Milliseconds. */
  readonly roundTime: number;
  readonly json: string | undefined;
}

/** @throws TypeError for an unknown option or a value that is not a positive whole number. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { rounds: { type: 'string' }, time: { type: 'string' }, json: { type: 'string' } },
  });
  return {
    names: positionals,
    rounds: positive('rounds', values.rounds ?? '5'),
    roundTime: positive('time', values.time ?? '500'),
    json: values.json,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new TypeError(`--${name} must be a positive whole number`);
  return value;
}
