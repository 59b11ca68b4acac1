// Sign-ins held between the check of their password and the making of their session, while their user is banned in one of five
// ways: does any of their sessions ever refresh?
import { bans, banWhileHeld, openHeldSignIns } from '../../test/support/held_sign_ins.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';

export const name = 'ban';
export const goal =
  'a sign-in held between password check and insert while its user is banned: 100 of 100 never refresh';

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const each = quick ? 2 : 20;
  const held = await openHeldSignIns();
  try {
    const totals = { refused: 0, refreshed: 0, sessions: 0 };
    for (const [kind, ban] of Object.entries(bans)) {
      const outcome = await banWhileHeld(held, `held-${kind.replaceAll(' ', '-')}`, each, ban);
      totals.refused += outcome.refused;
      totals.refreshed += outcome.refreshed;
      totals.sessions += outcome.sessions;
    }
    const peace = await banWhileHeld(held, 'held-in-peace', each, async () => {});
    const all = each * Object.keys(bans).length;
    return {
      figure: `${all - totals.refreshed} of ${all} never refresh (${totals.refused} refused, ${totals.sessions} sessions alive; ${Object.keys(bans).join(', ')}); of ${each} held in peace ${peace.refreshed} refresh`,
      pass: totals.refreshed === 0 && totals.sessions === 0 && peace.refreshed === each,
    };
  } finally {
    await held.close();
  }
}
