// Kill -9 under load, fifty times: is anything lost that was acknowledged? Sixteen writers of all kinds, the real process, the
// files looked at as the dead process left them (test/support/kill_rounds.ts).
import { seededRandom } from '../../test/support/browser_model.ts';
import { runKillRounds } from '../../test/support/kill_rounds.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';

export const name = 'kill';
export const goal =
  'kill -9 fifty times with 16 writers in flight, ≥ 100 acknowledged writes before each: 0 lost, integrity check clean, nobody signed out';

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const rounds = quick ? 3 : 50;
  const result = await runKillRounds({ rounds, writes: 100, random: seededRandom(7) });
  const { acknowledged, kinds, fewestInARound, lost, damage, signedOut, orphans } = result;
  return {
    figure: `${lost.length} of ${acknowledged} acknowledged writes of ${Object.keys(kinds).length} kinds lost in ${rounds} kills (at least ${fewestInARound} before each), ${damage.length} faults of integrity, ${signedOut.length} chains signed out, ${orphans} processes left`,
    pass: fewestInARound >= 100 && lost.length + damage.length + signedOut.length + orphans === 0,
  };
}
