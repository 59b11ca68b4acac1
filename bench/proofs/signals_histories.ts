// Random histories of the signals protocol against the real verifier, judged by a model of its rules (test/properties): reconnects, gaps,
// replays, reorderings, forgeries, restarts, changes of epoch.
import { runHistories } from '../../test/support/signal_history.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';
import { counted } from '../signals/words.ts';

export const name = 'signals_histories';
export const goal =
  'random histories with reconnects, gaps, replays, reorderings, forgeries, restarts and epoch changes: 0 wrong accepts, 0 wrong refusals';

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const report = await runHistories(quick ? 50 : 1500, 3);
  if (report.counterexample !== undefined) console.error(report.counterexample);
  return {
    figure: `${report.wrongAccepts} wrong accepts, ${report.wrongRefusals} wrong refusals in ${counted(report.decisions)} decisions after ${counted(report.steps)} steps of ${counted(report.histories)} histories`,
    pass: report.wrongAccepts === 0 && report.wrongRefusals === 0 && report.histories > 0,
  };
}
