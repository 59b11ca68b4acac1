// From spawn to the first answered sign-in, on an empty folder.
import { freshStarters } from '../auth/bench.ts';
import { firstSignIns } from '../auth/first_sign_in.ts';
import { startWholeSystem } from '../auth/latchkey.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';
import { median } from '../harness/statistics.ts';
import { formatNumber } from '../harness/table.ts';

export const name = 'first_sign_in';
export const goal =
  'empty folder, spawn to first sign-in: below Better Auth and 400 ms; whole system under 2 s';

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const starters = new Map([...freshStarters, ['whole system', () => startWholeSystem()] as const]);
  const results = await firstSignIns(starters, quick ? 2 : 9);
  const of = (system: string): number => median(results.get(system) ?? []);
  const [ours, theirs, whole] = [of('latchkey'), of('Better Auth'), of('whole system')];
  return {
    figure: `latchkey auth ${formatNumber(ours)} ms, Better Auth ${formatNumber(theirs)} ms, whole system ${formatNumber(whole)} ms`,
    pass: ours < theirs && ours <= 400 && whole < 2000,
  };
}
