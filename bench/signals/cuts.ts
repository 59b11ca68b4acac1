// Streams cut in five ways while revocations go on: does every one of them arrive in the end? Each gateway has a link of its own to the
// auth server; the times run from the moment at which the link is whole again.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTcpProxy, type TcpProxy } from '../../test/support/tcp_proxy.ts';
import { type FrameProxy, startFrameProxy } from './frame_proxy.ts';
import { inLanes } from './pool.ts';
import { createProbe, type Probe } from './probes.ts';
import { type Revocation, revoke } from './revocations.ts';
import type { Stage } from './stage.ts';

export interface Link {
  readonly wire: TcpProxy;
  readonly frames: FrameProxy;
  readonly probe: Probe;
}

/** A gateway that reaches the auth server through two proxies. */
export async function startLink(stage: Stage): Promise<Link> {
  const frames = await startFrameProxy(stage.authPort);
  const wire = await startTcpProxy(frames.origin);
  const gateway = await stage.startGateway({ authPort: wire.port });
  return { wire, frames, probe: createProbe(gateway) };
}

export async function closeLink({ wire, frames, probe }: Link): Promise<void> {
  probe.close();
  await wire.close();
  await frames.close();
}

export const cutKinds = ['reset', 'silence', 'replay', 'reorder'] as const;
export type CutKind = (typeof cutKinds)[number] | 'epoch change';

export interface CutResult {
  readonly kind: CutKind;
  /** Milliseconds from the whole link to the refusal, one for each revocation that was made meanwhile; infinite when missed. */
  readonly took: readonly number[];
}

/** Long enough for the 6 s after which silence counts as a cut, and for whatever pause is drawn before the next attempt. */
const patience = 20_000;

export async function cutLink(
  stage: Stage,
  { wire, frames, probe }: Link,
  kind: (typeof cutKinds)[number],
  meanwhile: readonly Revocation[],
): Promise<CutResult> {
  if (kind === 'reset') {
    wire.mode = 'refuse';
    wire.cut();
  }
  if (kind === 'silence') {
    wire.mode = 'swallow';
    wire.swallow();
  }
  if (kind === 'reorder') await until(() => frames.reorder());
  for (const [i, one] of meanwhile.entries()) {
    await revoke(stage, one);
    if (kind === 'replay' && i === 0) await until(() => frames.replay());
  }
  await sleep(200);
  wire.mode = 'pass';
  return { kind, took: await refusals(probe, meanwhile, performance.now()) };
}

/** After a cut it takes a moment until there is a stream again. */
async function until(done: () => boolean): Promise<void> {
  for (const end = performance.now() + patience; performance.now() < end; await sleep(5)) if (done()) return;
  throw new Error('there is no stream to disturb');
}

function refusals(probe: Probe, revocations: readonly Revocation[], from: number): Promise<number[]> {
  return Promise.all(
    revocations.map(({ token, reason }) => probe.untilRefused(token, reason, from, patience)),
  );
}

/** The auth server goes away and comes back with another epoch, as after a restore. What was revoked just before must be known to all. */
export async function changeEpoch(
  stage: Stage,
  links: readonly Link[],
  before: readonly Revocation[],
): Promise<CutResult> {
  for (const one of before) await revoke(stage, one);
  await stage.killAuth();
  const database = new DatabaseSync(join(stage.dataDir, 'latchkey.db'));
  database.prepare("UPDATE meta SET value = ? WHERE name = 'epoch'").run(randomBytes(9).toString('hex'));
  database.close();
  await stage.startAuth();
  const from = performance.now();
  const took = await Promise.all(links.map(({ probe }) => refusals(probe, before, from)));
  return { kind: 'epoch change', took: took.flat() };
}

export interface CatchUp {
  /** Milliseconds from the moment at which the gateway asks for stream or snapshot again. */
  readonly afterConnecting: number;
  /** From the moment it could have: a pause drawn at random is in it. */
  readonly afterHealing: number;
}

/** All links are cut, `count` marks are made, and the last of them is a token that the gateways know. */
export async function catchUp(
  stage: Stage,
  links: readonly Link[],
  last: Revocation,
  count: number,
): Promise<readonly CatchUp[]> {
  for (const { wire } of links) {
    wire.mode = 'refuse';
    wire.cut();
  }
  await inLanes(count - 1, 16, async () => {
    await stage.admin.call(204, 'DELETE', `tokens/${randomBytes(16).toString('base64url')}`);
  });
  await revoke(stage, last);
  const healed = performance.now();
  return Promise.all(
    links.map(async ({ wire, frames, probe }) => {
      frames.fresh();
      wire.mode = 'pass';
      const afterHealing = await probe.untilRefused(last.token, last.reason, healed, patience);
      return { afterConnecting: healed + afterHealing - (frames.askedAt ?? healed), afterHealing };
    }),
  );
}
