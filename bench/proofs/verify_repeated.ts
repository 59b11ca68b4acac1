// ES256 tokens in circulation: 10,000 of them, each call with a fresh string made from bytes.
import { allOf, type ProofOptions, type ProofResult } from '../harness/proof.ts';
import { formatNumber, formatRatio } from '../harness/table.ts';
import { figuresOn, nodesToProve } from '../tokens/figures.ts';

export const name = 'verify_repeated';
export const goal = 'ES256, 10,000 tokens in circulation: ≥ 1,000,000/s and ≥ 3 × fast-jwt with its cache';

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  return allOf(
    nodesToProve().map((node) => {
      const { node: version, rate, over } = figuresOn(node, 'repeated', quick);
      const leads = Object.entries(over).map(([peer, ratio]) => `${formatRatio(ratio)} ${peer}`);
      return {
        figure: `Node ${version}: ${formatNumber(rate)}/s, ${leads.join(', ')}`,
        pass: rate >= 1_000_000 && (over['fast-jwt, cache'] ?? 0) >= 3,
      };
    }),
  );
}
