// Sign-ins a second against the raw hash rate of the machine, in turns, with refreshes going on beside them; and what
// happens to those who come when the queue is full. Nothing is pinned: hashing is meant to use every core.
import { buildRequest, type Connection, openConnection } from '../harness/http_connection.ts';
import { type Client, closedLoop, type LoadResult, openLoop } from '../harness/load.ts';
import { cores } from '../harness/machine.ts';
import { percentile } from '../harness/statistics.ts';
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

/** Cheap, and answered by everyone: only to have the connections open before the flood. */
const openingRequest = buildRequest({ method: 'GET', path: '/auth/.well-known/jwks.json' });

export interface FloodResult {
  readonly served: number;
  readonly refused: number;
  readonly other: number;
  /** Milliseconds, of the 503 answers. */
  readonly refusalP99: number;
  readonly refusalWorst: number;
  readonly allHaveRetryAfter: boolean;
}

/** `count` sign-ins at the same moment, on connections that are already open; latency counts from the sending. */
export async function flood(system: AuthSystem, count: number, request: string): Promise<FloodResult> {
  const connections = Array.from({ length: count }, () => openConnection(system.port));
  await Promise.all(connections.map((connection) => connection.send(openingRequest)));
  const answers = await Promise.all(connections.map((connection) => timed(connection, request)));
  for (const connection of connections) connection.close();
  const refused = answers.filter(({ status }) => status === 503);
  const times = refused.map(({ took }) => took);
  return {
    served: answers.filter(({ status }) => status === 200).length,
    refused: refused.length,
    other: answers.filter(({ status }) => status !== 200 && status !== 503).length,
    refusalP99: percentile(times, 99),
    refusalWorst: percentile(times, 100),
    allHaveRetryAfter: refused.every(({ retryAfter }) => retryAfter),
  };
}

async function timed(
  connection: Connection,
  request: string,
): Promise<{ readonly status: number; readonly took: number; readonly retryAfter: boolean }> {
  const sent = performance.now();
  const { status, head } = await connection.send(request);
  return { status, took: performance.now() - sent, retryAfter: /\r\nretry-after:/i.test(head) };
}
