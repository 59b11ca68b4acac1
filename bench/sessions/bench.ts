// Tokens against sessions: the same endpoint behind a verified token, behind a session row, behind Better Auth's
// session check. Server on one core, clients on the other; requests from people who were all here before.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { createBetterAuth } from '../auth/better_auth_server.ts';
import { type Child, scratchFolder, startChild } from '../harness/children.ts';
import { buildRequest, openConnection } from '../harness/http_connection.ts';
import { type Client, closedLoop, closedLoopOn, type LoadResult } from '../harness/load.ts';
import { clientCore, pin, residentBytes, serverCore } from '../harness/machine.ts';
import type { BenchOptions } from '../harness/options.ts';
import { median } from '../harness/statistics.ts';
import { formatMegabytes, formatNumber, formatRatio, type Table } from '../harness/table.ts';
import {
  bearerOf,
  betterAuthCookie,
  fillBetterAuthWorld,
  makeSessionWorld,
  makeTokenWorld,
  sessionId,
  signedInUsers,
  userId,
} from './people.ts';

const clientCount = 32;
const activeUsers = 10_000;

export interface World {
  readonly name: string;
  readonly child: Child;
  readonly port: number;
  /** The whole request of each user. */
  readonly requests: readonly string[];
  /** Bytes of the shared store that the check needs. */
  readonly store: number;
}

async function startWorld(
  name: string,
  kind: string,
  make: (folder: string) => Promise<(i: number) => Readonly<Record<string, string>>>,
  storeFile: string | undefined,
  users = signedInUsers,
): Promise<World> {
  const folder = scratchFolder(kind);
  const headersOf = await make(folder);
  const requests = Array.from({ length: users }, (_, i) =>
    buildRequest({ method: 'GET', path: '/hello', headers: headersOf(i) }),
  );
  const script = join(import.meta.dirname, 'guarded_server.ts');
  const command = [process.execPath, script, kind, folder];
  const options = { command, ready: /\bready (\d+)/, core: serverCore };
  // The first start fills the compile cache; compiling would count as memory of the guard otherwise.
  await (await startChild(options)).stop();
  const child = await startChild(options);
  const store = storeFile === undefined ? 0 : statSync(join(folder, storeFile)).size;
  return { name, child, port: Number(child.ready), requests, store };
}

export function startTokenWorld(users = signedInUsers): Promise<World> {
  const make = async (folder: string) => {
    const keys = makeTokenWorld(folder);
    return (i: number) => ({ authorization: bearerOf(keys, i) });
  };
  return startWorld('verified token', 'token', make, undefined, users);
}

function startSessionWorld(): Promise<World> {
  const make = async (folder: string) => {
    makeSessionWorld(folder);
    return (i: number) => ({ cookie: `session=${sessionId(i)}` });
  };
  return startWorld('session row in SQLite', 'session', make, 'sessions.db');
}

function startBetterAuthWorld(): Promise<World> {
  const make = async (folder: string) => {
    const file = join(folder, 'better_auth.db');
    await createBetterAuth(file, 0);
    fillBetterAuthWorld(file);
    return (i: number) => ({ cookie: betterAuthCookie(i) });
  };
  return startWorld('Better Auth session check', 'better-auth', make, 'better_auth.db');
}

/** Clients that go through the users together, from `from` to `until` and round again. */
function clientsOf(world: World, from: number, until: number): readonly Client[] {
  let next = from;
  return Array.from({ length: clientCount }, () => {
    const connection = openConnection(world.port);
    return async () => {
      const i = next;
      next = next + 1 < until ? next + 1 : from;
      const answer = await connection.send(world.requests[i] ?? '');
      if (answer.status !== 200 || !answer.body.includes(userId(i)))
        throw new Error(`${world.name}: ${answer.body}`);
    };
  });
}

/** The first `users` come by once each, or as many of them as are served in 20 s. */
async function comeBy(world: World, users: number): Promise<void> {
  const until = performance.now() + 20_000;
  let next = 0;
  const lane = async (): Promise<void> => {
    const connection = openConnection(world.port);
    for (let i = next++; i < users && performance.now() < until; i = next++) {
      await connection.send(world.requests[i] ?? '');
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: clientCount }, lane));
}

interface Outcome {
  readonly world: World;
  readonly loads: (LoadResult & { readonly processor: number })[];
  readonly fresh: number | undefined;
  full: number | undefined;
}

export async function benchSessions({ rounds, roundTime }: BenchOptions): Promise<readonly Table[]> {
  const outcomes: Outcome[] = [];
  pin(clientCore);
  try {
    for (const start of [() => startTokenWorld(), startSessionWorld, startBetterAuthWorld]) {
      const world = await start();
      outcomes.push({ world, loads: [], fresh: residentBytes(world.child.pid), full: undefined });
    }
    for (const outcome of outcomes) {
      await comeBy(outcome.world, signedInUsers);
      outcome.full = residentBytes(outcome.world.child.pid);
    }
    const clients = outcomes.map(({ world }) => clientsOf(world, 0, activeUsers));
    // The first request of a token is verified, the later ones are looked up: the active users are past their first.
    for (const { world } of outcomes) await comeBy(world, activeUsers);
    for (const some of clients) await closedLoop(some, roundTime);
    for (let round = 0; round < rounds; round += 1) {
      for (const [i, { loads, world }] of outcomes.entries())
        loads.push(await closedLoopOn(world.child.pid, clients[i] ?? [], roundTime));
    }
    return [sessionsTable(outcomes)];
  } finally {
    pin('all');
    await Promise.all(outcomes.map(({ world }) => world.child.stop()));
  }
}

function sessionsTable(outcomes: readonly Outcome[]): Table {
  const first = outcomes[0]?.loads ?? [];
  const rows = outcomes.map(({ world, loads, fresh, full }) => [
    world.name,
    formatNumber(median(loads.map(({ rate }) => rate))),
    formatNumber(median(loads.map(({ p99 }) => p99))),
    formatNumber(median(loads.map(({ processor }) => processor))),
    formatRatio(median(loads.map(({ rate }, round) => (first[round]?.rate ?? Number.NaN) / rate))),
    formatMegabytes(fresh),
    formatMegabytes(full),
    world.store === 0 ? 'none' : formatMegabytes(world.store),
  ]);
  return {
    title: `One endpoint, three guards: ${formatNumber(signedInUsers)} users signed in, ${formatNumber(activeUsers)} of them active`,
    columns: [
      '',
      'requests/s',
      'p99 ms',
      'server µs each',
      'token is',
      'memory at start',
      'after all came by',
      'store every instance shares',
    ],
    rows,
  };
}
