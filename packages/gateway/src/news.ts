// Says in the log when news of revocations stop coming and when they come again: what a gateway refuses for their absence
// must not have to be guessed from its answers.
import type { VerifierStatus } from '@latchkey/core/verifier';
import type { GatewayVerifier, Logger } from './options.ts';

type State = 'fresh' | 'late' | 'gone';

/** Starts watching; the returned function stops it. Nothing is said before the verifier was ready once. */
export function watchNews(verifier: GatewayVerifier, log: Logger, interval = 1_000): () => void {
  let state: State = 'fresh';
  const timer = setInterval(() => {
    const status = verifier.status();
    if (!status.ready) return;
    const next = stateOf(status);
    if (next === state) return;
    state = next;
    tell(log, state, status);
  }, interval);
  timer.unref();
  return () => clearInterval(timer);
}

function stateOf({ decides }: VerifierStatus): State {
  if (!decides.normal) return 'gone';
  return decides.sensitive ? 'fresh' : 'late';
}

function tell(log: Logger, state: State, { staleForMs, lastFault }: VerifierStatus): void {
  const fields = { stale_seconds: Math.round(staleForMs / 1000), fault: lastFault };
  if (state === 'late') log.warn(fields, 'no news of revocations: sensitive routes are refused');
  else if (state === 'gone')
    log.error(fields, 'no news of revocations for too long: guarded routes are refused');
  else log.info({}, 'news of revocations come again');
}
