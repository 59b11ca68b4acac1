// The same service under three guards, and the one that each of them depends on: our auth server for the first two, Redis for the
// others. In every world ten thousand tokens have been taken back, and a thousand others are in circulation.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { field } from '../auth/systems.ts';
import { type Child, scratchFolder, startChild } from '../harness/children.ts';
import { clientCore, serverCore } from '../harness/machine.ts';
import type { GuardOptions } from './guarded_server.ts';
import { claimOf, fetchTokens, signInPeople } from './people.ts';
import { inLanes } from './pool.ts';
import { createProbe, type Probe } from './probes.ts';
import { createRedis, hasRedis, type Redis, startRedis } from './redis.ts';
import { audience, freePort, issuer, type Stage, startStage } from './stage.ts';

export interface Guarded {
  readonly name: string;
  readonly child: Child;
  readonly port: number;
  readonly probe: Probe;
  /** The process of what it asks, or hears from. */
  readonly store: () => Child;
}

export interface GuardedWorld {
  readonly stage: Stage;
  readonly guarded: readonly Guarded[];
  /** Access tokens in circulation. */
  readonly tokens: readonly string[];
  /** Taken back before anything is measured, in every world. */
  readonly revoked: string;
  readonly redis: RedisPart | undefined;
  readonly stop: () => Promise<void>;
}

interface RedisPart {
  readonly port: number;
  readonly folder: string;
  /** The process of the moment. */
  child: Child;
  readonly client: Redis;
}

const takenBack = 10_000;
const inCirculation = 1_000;

/** `open`: with a Redis guard, too, that lets everything pass while Redis is away. */
export async function startGuardedWorld({
  open = false,
}: {
  readonly open?: boolean;
} = {}): Promise<GuardedWorld> {
  // Whoever is asked runs beside the clients: the service keeps a core to itself in all worlds.
  const stage = await startStage({ accessTokenLife: 3600, authCore: clientCore });
  const redis = hasRedis ? await openRedis() : undefined;
  if (redis === undefined) console.error('signals: redis-server is not installed, so its rows are missing');
  const people = signInPeople(
    stage.dataDir,
    Array.from({ length: inCirculation + 1 }, () => ({})),
  );
  const [revoked = '', ...tokens] = (await fetchTokens(stage.authPort, people)).map((one) => one.accessToken);
  const dead = Array.from({ length: takenBack }, () => randomBytes(16).toString('base64url'));
  dead.push(claimOf(revoked, 'jti'));
  await inLanes(dead.length, 16, async (i) => {
    await stage.admin.call(204, 'DELETE', `tokens/${dead[i]}`);
  });
  for (const jti of redis === undefined ? [] : dead)
    await redis?.client.command('SET', `denied:${jti}`, '1', 'EX', '3660');
  const guarded = await startGuards(stage, redis, open);
  for (const { probe } of guarded) await probe.untilRefused(revoked, 'revoked', performance.now());
  return {
    stage,
    guarded,
    tokens,
    revoked,
    redis,
    async stop() {
      for (const { probe } of guarded) probe.close();
      redis?.client.close();
      await Promise.all([...guarded.map(({ child }) => child.stop()), redis?.child.stop(), stage.stop()]);
    },
  };
}

async function openRedis(): Promise<RedisPart> {
  const port = await freePort();
  const folder = scratchFolder('redis');
  return { port, folder, child: await startRedis(port, folder, clientCore), client: createRedis(port, 1000) };
}

async function startGuards(
  stage: Stage,
  redis: GuardedWorld['redis'],
  open: boolean,
): Promise<readonly Guarded[]> {
  const answer = await stage.admin.call(201, 'POST', 'clients', {
    name: 'service',
    scopes: ['introspection'],
  });
  const client = { id: field(answer, 'id'), secret: field(answer, 'secret') };
  const common = { issuer, audience, authPort: stage.authPort };
  const started = [
    await startGuard('signals (Latchkey)', { ...common, kind: 'verifier' }, stage.auth),
    await startGuard('introspection, RFC 7662', { ...common, kind: 'introspection', client }, stage.auth),
  ];
  if (redis === undefined) return started;
  const { port: redisPort } = redis;
  const redisGuard: GuardOptions = { ...common, kind: 'redis', redisPort };
  started.push(await startGuard('Redis denylist', redisGuard, () => redis.child));
  if (open)
    started.push(await startGuard('Redis denylist, fails open', { ...redisGuard, open }, () => redis.child));
  return started;
}

async function startGuard(name: string, options: GuardOptions, store: () => Child): Promise<Guarded> {
  const start = {
    command: [process.execPath, join(import.meta.dirname, 'guarded_server.ts'), JSON.stringify(options)],
    ready: /\bready (\d+)/,
    core: serverCore,
  };
  const child = await startChild(start);
  const port = Number(child.ready);
  return { name, child, port, probe: createProbe({ port }, 64), store };
}
