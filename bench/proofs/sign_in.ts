// Sign-ins against the raw argon2id rate, with refreshes beside them.
import { startLatchkey } from '../auth/latchkey.ts';
import { signInRounds } from '../auth/sign_in.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';
import { median } from '../harness/statistics.ts';
import { formatNumber } from '../harness/table.ts';

export const name = 'sign_in';
export const goal = 'sign-ins ≥ 0.85 of the raw argon2id rate, while 100 refreshes/s stay under 50 ms at p99';

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const system = await startLatchkey();
  try {
    const rounds = await signInRounds(system, { rounds: quick ? 2 : 5, roundTime: quick ? 1500 : 8000 });
    const ofRaw = median(rounds.map(({ signIns, rawHashes }) => signIns.rate / rawHashes));
    const raw = median(rounds.map(({ rawHashes }) => rawHashes));
    const p99 = median(rounds.map(({ refreshes }) => refreshes.p99));
    const rate = median(rounds.map(({ refreshes }) => refreshes.rate));
    return {
      figure: `${ofRaw.toFixed(3)} of ${formatNumber(raw)} raw hashes/s; ${formatNumber(rate)} refreshes/s, p99 ${formatNumber(p99)} ms`,
      pass: ofRaw >= 0.85 && p99 < 50 && rate > 95,
    };
  } finally {
    await system.child.stop();
  }
}
