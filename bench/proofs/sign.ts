// Signing access tokens, claims object to string.
import { allOf, type ProofOptions, type ProofResult } from '../harness/proof.ts';
import { formatNumber, formatRatio } from '../harness/table.ts';
import { figuresOn, nodesToProve } from '../tokens/figures.ts';

export const name = 'sign';
export const goal =
  'sign ES256, payload serialisation included: ≥ 0.95 of the best of jose, fast-jwt, jsonwebtoken';

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  return allOf(
    nodesToProve().map((node) => {
      const { node: version, rate, over } = figuresOn(node, 'sign', quick);
      const leads = Object.entries(over).map(([peer, ratio]) => `${formatRatio(ratio)} ${peer}`);
      return {
        figure: `Node ${version}: ${formatNumber(rate)}/s, ${leads.join(', ')}`,
        pass: Object.values(over).every((ratio) => ratio >= 0.95),
      };
    }),
  );
}
