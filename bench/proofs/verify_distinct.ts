// ES256 tokens that no cache has seen, on every Node.js named in LATCHKEY_NODES.
import { allOf, type ProofOptions, type ProofResult } from '../harness/proof.ts';
import { formatNumber, formatRatio } from '../harness/table.ts';
import { figuresOn, nodesToProve } from '../tokens/figures.ts';

export const name = 'verify_distinct';
export const goal =
  'ES256, distinct tokens: ≥ 0.90 of the bare crypto.verify call, ahead of jsonwebtoken, fast-jwt, jose';

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  return allOf(
    nodesToProve().map((node) => {
      const { node: version, rate, ofBare, over } = figuresOn(node, 'distinct', quick);
      const leads = Object.entries(over).map(([peer, ratio]) => `${formatRatio(ratio)} ${peer}`);
      return {
        figure: `Node ${version}: ${formatNumber(rate)}/s, ${(ofBare ?? 0).toFixed(3)} of bare, ${leads.join(', ')}`,
        pass: (ofBare ?? 0) >= 0.9 && Object.values(over).every((ratio) => ratio > 1),
      };
    }),
  );
}
