// Sign-ins a second against the raw hash rate of the machine, in turns, with refreshes going on beside them. Nothing is pinned:
// hashing is meant to use every core.
import { openConnection } from '../harness/http_connection.ts';
import { type Client, closedLoop, type LoadResult, openLoop } from '../harness/load.ts';
import { cores } from '../harness/machine.ts';
import { rawHashRate } from './raw_limits.ts';
import { startChains } from './refresh.ts';
import type { AuthSystem } from './systems.ts';

export interface SignInRound {
  readonly rawHashes: number;
  readonly signIns: LoadResult;
  readonly refreshes: LoadResult;
}

/** Clients that sign in one after the other: twice the cores, so that a hash is always waiting. */
function signInClients(system: AuthSystem, count = 2 * cores): readonly Client[] {
  return Array.from({ length: count }, () => {
    const connection = openConnection(system.port);
    return async () => void (await system.signIn(connection));
  });
}

/** In each round the raw rate first, then sign-ins while `refreshRate` refreshes a second go on. */
export async function signInRounds(
  system: AuthSystem,
  options: { readonly rounds: number; readonly roundTime: number; readonly refreshRate?: number },
): Promise<readonly SignInRound[]> {
  const refreshClients = await startChains(system);
  const clients = signInClients(system);
  const rounds: SignInRound[] = [];
  await closedLoop(clients, 500);
  for (let round = 0; round < options.rounds; round += 1) {
    const rawHashes = await rawHashRate(options.roundTime);
    const [signIns, refreshes] = await Promise.all([
      closedLoop(clients, options.roundTime),
      openLoop(refreshClients, options.refreshRate ?? 100, options.roundTime),
    ]);
    rounds.push({ rawHashes, signIns, refreshes });
  }
  return rounds;
}
