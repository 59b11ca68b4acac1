// A million single-character edits of valid tokens, on as many threads as there are cores.
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { cores } from '../harness/machine.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';
import { formatNumber } from '../harness/table.ts';
import type { EditsResult, EditsWork } from '../tokens/edits.ts';

export const name = 'single_character_edits';
export const goal = '0 of 1,000,000 single-character edits of valid tokens accepted';

const script = join(import.meta.dirname, '..', 'tokens', 'edits.ts');

function share(workerData: EditsWork): Promise<EditsResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(script, { workerData });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const total = quick ? 20_000 : 1_000_000;
  const edits = Math.ceil(total / cores);
  const shares = await Promise.all(
    Array.from({ length: cores }, (_, i) => share({ edits, seed: 20_261_123 + i })),
  );
  const sum = (of: (result: EditsResult) => number): number => shares.reduce((all, one) => all + of(one), 0);
  const [made, accepted, strange] = [
    sum((one) => one.edits),
    sum((one) => one.accepted),
    sum((one) => one.strange),
  ];
  return {
    figure: `${formatNumber(made)} edits: ${accepted} accepted, ${strange} refused with anything but a TokenError`,
    pass: made >= total && accepted === 0 && strange === 0,
  };
}
