// A fleet of connected verifiers, spread over some processes, and what one mark after another takes to be in force at all of them.
// All clocks are the machine's one monotonic clock.
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { field } from '../auth/systems.ts';
import { clientCore, pin, processorTime, residentBytes, serverCore } from '../harness/machine.ts';
import { clock, type MemberTimes, type MemberWork, type ToMember } from './fleet_wire.ts';
import type { RegisteredClient } from './people.ts';
import { byTheClock } from './pool.ts';
import { audience, issuer, type Stage, startStage } from './stage.ts';

export const receiptCount = 20;

export interface FleetOptions {
  /** Streams that are read and not verified. */
  readonly light: number;
  readonly full: number;
  /** Of the full ones. */
  readonly registered: number;
  /** @default 4 */
  readonly processes?: number;
}

export interface Fleet {
  /** Tells everybody which marks will come. */
  readonly expect: (values: readonly string[]) => Promise<void>;
  readonly collect: () => Promise<{ readonly times: readonly Float64Array[]; readonly connected: number }>;
  readonly stop: () => void;
}

export async function startFleet(stage: Stage, options: FleetOptions): Promise<Fleet> {
  const clients: RegisteredClient[] = [];
  for (let i = 0; i < options.registered; i += 1) {
    const answer = await stage.admin.call(201, 'POST', 'clients', { name: `verifier ${i}` });
    clients.push({ id: field(answer, 'id'), secret: field(answer, 'secret') });
  }
  const processes = Math.min(options.processes ?? 4, options.light + options.full);
  const part = (whole: number, i: number): number =>
    Math.floor(((i + 1) * whole) / processes) - Math.floor((i * whole) / processes);
  const members = Array.from({ length: processes }, (_, i): [ChildProcess, MemberWork] => {
    const child = fork(join(import.meta.dirname, 'fleet_member.ts'), { serialization: 'advanced' });
    pin(clientCore, child.pid);
    const full = part(options.full, i);
    const work = { authPort: stage.authPort, issuer, audience, light: part(options.light, i), full };
    return [child, { ...work, clients: clients.splice(0, full) }];
  });
  // One after the other: a thousand connections in one moment are another question.
  for (const [child, work] of members) await ask(child, { work });
  return {
    async expect(values) {
      await Promise.all(members.map(([child]) => ask(child, { values })));
    },
    async collect() {
      const answers = await Promise.all(members.map(([child]) => ask<MemberTimes>(child, 'collect')));
      return {
        times: answers.flatMap(({ times }) => times),
        connected: answers.reduce((sum, { connected }) => sum + connected, 0),
      };
    },
    stop() {
      for (const [child] of members) child.disconnect();
    },
  };
}

function ask<Reply>(child: ChildProcess, message: ToMember): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('a process of the fleet ended'));
    child.once('exit', ended);
    child.once('message', (reply) => {
      child.off('exit', ended);
      resolve(reply as Reply);
    });
    child.send(message);
  });
}

export interface Propagation {
  readonly verifiers: number;
  /** Milliseconds from the answer of the revoking call to the moment at which a verifier enforces it: every verifier's. */
  readonly each: readonly number[];
  /** The same for the slowest verifier of each revocation. */
  readonly last: readonly number[];
  /** Marks that some verifier never got. */
  readonly missed: number;
  readonly connected: number;
  readonly receipts: Receipts;
  /** The most that the auth server held, in bytes. */
  readonly memory: number;
  /** Microseconds of the auth server's processor time for each revocation, everything that went on meanwhile included. */
  readonly processor: number;
}

/** What revoking calls say that were asked who has applied them. */
export interface Receipts {
  /** Milliseconds from the question to the answer. */
  readonly took: readonly number[];
  /** Those that named every registered verifier as having applied it, and nobody else. */
  readonly complete: number;
}

async function takeReceipts({ admin }: Stage, registered: number): Promise<Receipts> {
  const took: number[] = [];
  let complete = 0;
  for (let i = 0; i < receiptCount; i += 1) {
    const jti = randomBytes(16).toString('base64url');
    const from = clock();
    const { body } = await admin.call(200, 'DELETE', `tokens/${jti}?wait=applied&timeout=10`);
    took.push(clock() - from);
    const { applied, pending } = JSON.parse(body) as { applied: unknown[]; pending: unknown[] };
    if (applied.length === registered && pending.length === 0) complete += 1;
  }
  return { took, complete };
}

/** `revocations` single tokens killed by the clock, `rate` a second, while the fleet listens. The auth server has a core of its own. */
export async function measurePropagation(
  options: FleetOptions,
  { revocations, rate }: { readonly revocations: number; readonly rate: number },
): Promise<Propagation> {
  const stage = await startStage({ authCore: serverCore });
  pin(clientCore);
  try {
    const fleet = await startFleet(stage, options);
    const values = Array.from({ length: revocations }, () => randomBytes(16).toString('base64url'));
    await fleet.expect(values);
    const { pid } = stage.auth();
    const answered = new Float64Array(revocations);
    let memory = 0;
    const watch = setInterval(() => {
      memory = Math.max(memory, residentBytes(pid) ?? 0);
    }, 200);
    const before = processorTime(pid);
    await byTheClock(revocations, rate, 8, async (i) => {
      await stage.admin.call(204, 'DELETE', `tokens/${values[i]}`);
      answered[i] = clock();
    });
    const processor = ((processorTime(pid) - before) * 1000) / revocations;
    await sleep(3000);
    const receipts = await takeReceipts(stage, options.registered);
    clearInterval(watch);
    const { times, connected } = await fleet.collect();
    fleet.stop();
    return { ...summary(times, answered), connected, receipts, memory, processor };
  } finally {
    pin('all');
    await stage.stop();
  }
}

function summary(times: readonly Float64Array[], answered: Float64Array) {
  const each: number[] = [];
  const last: number[] = [];
  let missed = 0;
  for (const [i, from] of answered.entries()) {
    let slowest = 0;
    for (const row of times) {
      // A verifier may know before the caller does: that counts as none.
      const took = Math.max(0, (row[i] ?? Number.NaN) - from);
      if (Number.isNaN(took)) {
        missed += 1;
        slowest = Number.POSITIVE_INFINITY;
        continue;
      }
      each.push(took);
      slowest = Math.max(slowest, took);
    }
    last.push(slowest);
  }
  return { verifiers: times.length, each, last, missed };
}
