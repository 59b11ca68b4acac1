// `--wait` on whatever revokes: the server answers with a receipt, which says who has applied the change and who has not. The
// change is made either way; what is waited for is the word of those who enforce it.
import { usageError } from '../failure.ts';
import { duration } from '../settings/kinds.ts';
import { print, styled, when } from '../terminal/print.ts';
import type { Input, OptionSpec } from './command.ts';

interface Reader {
  readonly name: string;
  readonly instance: string;
}

export interface Receipt {
  readonly seq: number;
  readonly applied: readonly Reader[];
  readonly pending: readonly (Reader & { readonly safe_at: string })[];
}

export const waitOption = {
  wait: {
    type: 'string',
    value: 'SECONDS',
    implied: '5',
    about: 'Wait until the registered gateways and services have applied it (30 at most), and say who has',
  },
} as const satisfies Record<string, OptionSpec>;

const seconds = duration(1, 30);

/** What to add to the path: `?wait=applied&timeout=5`; nothing without `--wait`. @throws CommandError for a wrong time */
export function waitQuery(input: Input): string {
  const given = input.text('wait');
  if (given === undefined) return '';
  const reading = seconds.fromText(given);
  if ('fault' in reading) throw usageError('--wait takes 1 to 30 seconds', '--wait=10');
  return `?wait=applied&timeout=${String(reading.value)}`;
}

/** The receipt of an answer: the answer itself, or its `receipt`; undefined where none was asked for. */
export function receiptOf(answer: unknown): Receipt | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const found = 'receipt' in answer ? answer.receipt : answer;
  return typeof found === 'object' && found !== null && 'applied' in found && 'pending' in found
    ? (found as Receipt)
    : undefined;
}

/** For `--json`: `{ receipt }`, or nothing. */
export function receiptField(answer: unknown): { readonly receipt?: Receipt } {
  const receipt = receiptOf(answer);
  return receipt === undefined ? {} : { receipt };
}

export function printReceipt(answer: unknown): void {
  const receipt = receiptOf(answer);
  if (receipt === undefined) return;
  const { applied, pending } = receipt;
  if (applied.length + pending.length === 0) {
    print('no gateway or service is registered, so nobody reports back (latchkey verifiers)');
    return;
  }
  if (applied.length > 0) print(`${styled('green', 'applied by')} ${applied.map(readerText).join(', ')}`);
  for (const reader of pending) {
    print(`${styled('yellow', 'not yet by')} ${readerText(reader)}, safe at ${when(reader.safe_at)}`);
  }
}

function readerText({ name, instance }: Reader): string {
  return `${name} ${shortInstance(instance)}`;
}

/** Enough to tell the processes of one name apart. */
export function shortInstance(instance: string): string {
  return instance.slice(0, 8);
}
