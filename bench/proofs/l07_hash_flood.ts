// Threat L07: a flood of sign-ins. What does not fit the queue is refused at once, with a time to come back, and what
// needs no password (refreshes) goes on as before.
import { startFlooder } from '../auth/flood.ts';
import { signInRequest, startLatchkey } from '../auth/latchkey.ts';
import { startChains } from '../auth/refresh.ts';
import { openLoop } from '../harness/load.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';
import { formatNumber } from '../harness/table.ts';

export const name = 'l07_hash_flood';
export const goal =
  'L07: a full hashing queue answers 503 with Retry-After in < 100 ms, and refreshes stay under 50 ms at p99';

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const system = await startLatchkey();
  try {
    const flooder = startFlooder(system.port);
    // A server that has been up for a moment: its code is compiled.
    await flooder.flood(300, signInRequest);
    const chains = await startChains(system);
    const waves = quick ? 2 : 10;
    const refreshing = openLoop(chains, 100, waves * 1000);
    let [served, refused, other, worst] = [0, 0, 0, 0];
    let retryAfter = true;
    for (let wave = 0; wave < waves; wave += 1) {
      const result = await flooder.flood(300, signInRequest);
      served += result.served;
      refused += result.refused;
      other += result.other;
      worst = Math.max(worst, result.refusalWorst);
      retryAfter &&= result.allHaveRetryAfter;
    }
    const { p99 } = await refreshing;
    await flooder.stop();
    return {
      figure: `${served} signed in, ${refused} refused in at most ${formatNumber(worst)} ms, ${other} otherwise; refreshes p99 ${formatNumber(p99)} ms`,
      pass: refused > 0 && other === 0 && retryAfter && worst < 100 && p99 < 50,
    };
  } finally {
    await system.child.stop();
  }
}
