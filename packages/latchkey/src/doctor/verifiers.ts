// The fleet: a gateway or service that is registered and cannot be heard of, or does not keep up.
import type { VerifierView } from '../admin/answers.ts';
import { printable, when } from '../terminal/print.ts';
import { bad, type Finding, good, look } from './finding.ts';

const check = 'verifiers';

/** Milliseconds that an acknowledgement may take: one a second is sent. */
const patience = 5_000;

/** @param now milliseconds */
export function judgeVerifiers(fleet: readonly VerifierView[], now: number): Finding[] {
  if (fleet.length === 0) return [good(check, 'none is registered; latchkey verifiers says how')];
  const findings = fleet.flatMap((each) => judgeVerifier(each, now) ?? []);
  if (findings.length > 0) return findings;
  return [good(check, `${fleet.length} registered, all of them up to date`)];
}

function judgeVerifier(verifier: VerifierView, now: number): Finding | undefined {
  const { name, instance, connected, seen_at, lag = 0, safe_at } = verifier;
  const who = `${printable(name)} ${instance.slice(0, 8)}`;
  if (Date.parse(safe_at) <= now)
    return bad(
      check,
      `${who} was last heard of at ${when(seen_at)} and should refuse every request by now`,
      'see whether it runs, and whether it reaches the auth server',
    );
  if (!connected)
    return look(
      check,
      `${who} is not connected; it stops trusting what it has at ${when(safe_at)}`,
      'see whether it runs, and whether it reaches the auth server',
    );
  if (lag > 0 && now - Date.parse(seen_at) > patience)
    return look(
      check,
      `${who} is ${lag} ${lag === 1 ? 'change' : 'changes'} behind since ${when(seen_at)}`,
      'its log and metrics (latchkey_gateway_verifier_…) say why; start it again when it hangs',
    );
  return undefined;
}
