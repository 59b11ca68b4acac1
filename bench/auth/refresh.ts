// Access tokens a second from a living session: 16 clients, each with its own chain, server on one core and clients on
// the other. For Latchkey and oidc-provider each is a rotation that is on the disk before the answer; Better Auth
// rotates nothing, it looks its session up and signs.

import { type Client, closedLoop, closedLoopOn, type LoadResult } from '../harness/load.ts';
import { clientCore, pin, serverCore } from '../harness/machine.ts';
import type { BenchOptions } from '../harness/options.ts';
import type { AuthSystem } from './systems.ts';

export const chains = 16;

export interface RefreshResult extends LoadResult {
  /** Microseconds of the server's processor time for each. */
  readonly processor: number;
}

export type RefreshResults = ReadonlyMap<string, readonly RefreshResult[]>;

export async function refreshRounds(
  starters: readonly ((core: number) => Promise<AuthSystem>)[],
  { rounds, roundTime }: BenchOptions,
): Promise<RefreshResults> {
  const systems: AuthSystem[] = [];
  pin(clientCore);
  try {
    for (const start of starters) systems.push(await start(serverCore));
    const clients = new Map<string, readonly Client[]>();
    for (const system of systems) clients.set(system.name, await startChains(system));
    const results = new Map<string, RefreshResult[]>(systems.map(({ name }) => [name, []]));
    for (const { name } of systems) await closedLoop(clients.get(name) ?? [], roundTime);
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, child } of systems) {
        results.get(name)?.push(await closedLoopOn(child.pid, clients.get(name) ?? [], roundTime));
      }
    }
    return results;
  } finally {
    pin('all');
    await Promise.all(systems.map(({ child }) => child.stop()));
  }
}

export async function startChains(system: AuthSystem, count = chains): Promise<readonly Client[]> {
  const clients: Client[] = [];
  for (let index = 0; index < count; index += 1) clients.push(await system.startChain(index));
  return clients;
}
