// What a verifier loses to a million live marks: while they rest, and while 3,000 a second are added to them, so that nothing
// that was known of a token in circulation still holds when it comes by again. Reading so much news costs the same with and without
// a table to look through, so for distinct tokens that figure is told and not judged.
import { allOf, type ProofOptions, type ProofResult } from '../harness/proof.ts';
import { formatNumber } from '../harness/table.ts';
import { throughputFiguresOn } from '../signals/marks_throughput.ts';
import { nodesToProve } from '../tokens/figures.ts';

export const name = 'marks_throughput';
export const goal =
  '1,000,000 live marks, of the verifications without any: distinct tokens ≥ 0.95; cached ones ≥ 0.6, also while 3,000 marks a second arrive';

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const marks = quick ? 100_000 : 1_000_000;
  return allOf(
    nodesToProve().flatMap((node) =>
      (['distinct', 'repeated'] as const).map((traffic) => {
        const {
          node: version,
          rate,
          still,
          arriving,
          arrivals,
        } = throughputFiguresOn(node, traffic, { marks, quick });
        return {
          figure: `Node ${version}, ${traffic}: ${formatNumber(rate)}/s without marks, ${still.toFixed(3)} of it with, ${arriving.toFixed(3)} while ${formatNumber(arrivals)} a second arrive`,
          pass: traffic === 'distinct' ? still >= 0.95 : still >= 0.6 && arriving >= 0.6,
        };
      }),
    ),
  );
}
