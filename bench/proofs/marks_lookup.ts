// Looking through the live set of revocations, by itself.
import { allOf, type ProofOptions, type ProofResult } from '../harness/proof.ts';
import { formatNumber } from '../harness/table.ts';
import { lookupFiguresOn } from '../signals/marks_lookup.ts';
import { nodesToProve } from '../tokens/figures.ts';

export const name = 'marks_lookup';
export const goal =
  '1,000,000 live marks: one look-up < 300 ns, all six of a request < 900 ns, < 64 bytes a mark; loaded in < 500 ms';

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  return allOf(
    nodesToProve().map((node) => {
      const { node: version, of } = lookupFiguresOn(node, quick ? 100_000 : 1_000_000, quick);
      const { map, ours } = of;
      const pauses = `longest sweep ${formatNumber(ours.longestSweep)} ms, addition ${formatNumber(ours.longestAdd)} ms`;
      return {
        figure: `Node ${version}: ${formatNumber(ours.one)} ns (Map ${formatNumber(map.one)}), all six ${formatNumber(ours.all)} ns (Map ${formatNumber(map.all)}), ${formatNumber(ours.bytesPerMark)} bytes (Map ${formatNumber(map.bytesPerMark)}), loaded in ${formatNumber(ours.load)} ms, ${pauses}`,
        pass: ours.one < 300 && ours.all < 900 && ours.bytesPerMark < 64 && ours.load < 500,
      };
    }),
  );
}
