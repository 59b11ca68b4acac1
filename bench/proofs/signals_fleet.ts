// A thousand connected verifiers at one auth server: how long after the 204 is a revocation in force at all of them, and what does the
// server hold in memory meanwhile? Forty are full verifiers in other processes, ten of those registered; the others hold
// a stream open and read every frame.
import type { ProofOptions, ProofResult } from '../harness/proof.ts';
import { percentile } from '../harness/statistics.ts';
import { formatMegabytes, formatNumber } from '../harness/table.ts';
import { measurePropagation, receiptCount } from '../signals/fleet.ts';

export const name = 'signals_fleet';
export const goal =
  '1,000 connected verifiers, 40 of them full ones in other processes: from the 204 to in force at all of them p99 < 500 ms, receipts name every registered one; auth server under 300 MB';

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const fleet = quick ? { light: 80, full: 20, registered: 5 } : { light: 960, full: 40, registered: 10 };
  const size = quick ? { revocations: 50, rate: 10 } : { revocations: 500, rate: 5 };
  const { verifiers, each, last, missed, connected, receipts, memory } = await measurePropagation(
    fleet,
    size,
  );
  const p99 = percentile(last, 99);
  return {
    figure: `${verifiers} verifiers, ${size.revocations} revocations: in force at all of them p50 ${formatNumber(percentile(last, 50))} ms, p99 ${formatNumber(p99)} ms, at most ${formatNumber(percentile(last, 100))} ms (one verifier's p99 ${formatNumber(percentile(each, 99))} ms), ${missed} missed, ${connected} of ${fleet.full} full ones connected; ${receipts.complete} of ${receiptCount} receipts name all ${fleet.registered} registered, after p50 ${formatNumber(percentile(receipts.took, 50))} ms; auth server ${formatMegabytes(memory)}`,
    pass:
      p99 < 500 &&
      missed === 0 &&
      connected === fleet.full &&
      receipts.complete === receiptCount &&
      memory > 0 &&
      memory < 300e6,
  };
}
