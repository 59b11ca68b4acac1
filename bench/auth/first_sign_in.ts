// How long a newcomer waits: from spawning the process on an empty folder (no schema, no keys, no user) to the first
// answered sign-in. And what the process then holds in memory when nobody uses it.
import { setTimeout as sleep } from 'node:timers/promises';
import { openConnection } from '../harness/http_connection.ts';
import { commandLine, processTree, residentBytes } from '../harness/machine.ts';
import type { AuthSystem } from './systems.ts';

/** Milliseconds from spawn to the 200 of a sign-in. */
export async function firstSignIn(start: () => Promise<AuthSystem>): Promise<number> {
  const spawned = performance.now();
  const system = await start();
  const connection = openConnection(system.port);
  try {
    await system.signIn(connection);
    return performance.now() - spawned;
  } finally {
    connection.close();
    await system.child.stop();
  }
}

/** Milliseconds of each start, the systems taking turns; the first turn fills compile caches and is not counted. */
export async function firstSignIns(
  starters: ReadonlyMap<string, () => Promise<AuthSystem>>,
  times: number,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const results = new Map<string, number[]>([...starters.keys()].map((name) => [name, []]));
  for (let turn = 0; turn <= times; turn += 1) {
    for (const [name, start] of starters) {
      const took = await firstSignIn(start);
      if (turn > 0) results.get(name)?.push(took);
    }
  }
  return results;
}

export interface IdleMemory {
  readonly server: number;
  /** The process that hashes passwords, where there is one. */
  readonly hasher: number | undefined;
}

/** Bytes after one sign-in and ten idle seconds. */
export async function idleMemory(system: AuthSystem, idle = 10_000): Promise<IdleMemory> {
  const connection = openConnection(system.port);
  if (system.name !== 'oidc-provider') await system.signIn(connection);
  connection.close();
  await sleep(idle);
  return memoryOf(system.child.pid);
}

/** A process and what descends from it, the hasher counted apart. */
export function memoryOf(pid: number): IdleMemory {
  let server = 0;
  let hasher: number | undefined;
  for (const each of processTree(pid)) {
    const bytes = residentBytes(each) ?? 0;
    if (/hash/.test(commandLine(each))) hasher = (hasher ?? 0) + bytes;
    else server += bytes;
  }
  return { server, hasher };
}
