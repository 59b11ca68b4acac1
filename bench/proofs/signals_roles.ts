// A role is taken away while its holder works. The running token is refused as stale at the gateway and at the service behind it, the
// holder's client (`@latchkey/client`) refreshes by itself and goes on with the new roles, in the same session.
import { setTimeout as pause } from 'node:timers/promises';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';
import { percentile } from '../harness/statistics.ts';
import { formatNumber } from '../harness/table.ts';
import { openClient } from '../signals/honest_clients.ts';
import { type Person, signInPeople } from '../signals/people.ts';
import { inLanes } from '../signals/pool.ts';
import { createProbe, type Probe } from '../signals/probes.ts';
import { type Gateway, type Stage, startStage } from '../signals/stage.ts';

export const name = 'signals_roles';
export const goal =
  'a role taken away: refused at gateway and service within 1 s, the client works on with the new roles, nobody signs in again: 1,000 of 1,000';

/** Permissions of the role that is taken and of the one that is left. */
const before = ['records:read', 'records:write'];
const after = ['records:read'];

interface Outcome {
  /** Milliseconds. */
  readonly atGateway: number;
  readonly atService: number;
  readonly worksOn: boolean;
  readonly sameSession: boolean;
}

interface Setting {
  readonly stage: Stage;
  readonly gateway: Gateway;
  readonly atGateway: Probe;
  readonly atService: Probe;
}

async function demote(person: Person, setting: Setting): Promise<Outcome> {
  const { stage, gateway, atGateway, atService } = setting;
  const client = openClient(person, gateway.port);
  const signedOut: string[] = [];
  client.onChange(({ cause }) => {
    if (cause === 'ended' || cause === 'signed_out' || cause === 'signed_in') signedOut.push(cause);
  });
  const statusOf = async (path: string): Promise<number> => {
    const response = await client.fetch(path);
    await response.body?.cancel();
    return response.status;
  };
  await client.resume();
  const could = (await statusOf('/write/records')) === 200;
  const old = client.accessToken ?? '';
  await stage.admin.call(200, 'PUT', `users/${person.id}/roles`, { roles: ['bench-nurse'] });
  const from = performance.now();
  const [tookGateway, tookService] = await Promise.all([
    atGateway.untilRefused(old, 'stale', from),
    atService.untilRefused(old, 'stale', from),
  ]);
  const reads = (await statusOf('/normal/records')) === 200;
  const writes = (await statusOf('/write/records')) === 200;
  const { user } = client;
  return {
    atGateway: tookGateway,
    atService: tookService,
    worksOn: could && reads && !writes && user?.roles.join() === 'bench-nurse',
    sameSession: user?.sid === person.sid && signedOut.length === 0,
  };
}

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const count = quick ? 40 : 1000;
  const stage = await startStage({ service: 'verifying' });
  try {
    await stage.admin.call(201, 'POST', 'roles', { name: 'bench-doctor', permissions: before });
    await stage.admin.call(201, 'POST', 'roles', { name: 'bench-nurse', permissions: after });
    const gateway = await stage.startGateway();
    const people = signInPeople(
      stage.dataDir,
      Array.from({ length: count }, () => ({ roles: ['bench-doctor'] })),
    );
    const atService = createProbe({ port: stage.servicePort });
    const setting = { stage, gateway, atGateway: createProbe(gateway), atService };
    // The service was there before its issuer, and tries again in its own time.
    while ((await atService.ask('no.token.yet')).status === 503) await pause(50);
    const outcomes: Outcome[] = [];
    await inLanes(count, 8, async (i) => {
      outcomes.push(await demote(people[i] as Person, setting));
    });
    const good = outcomes.filter(
      (one) => one.worksOn && one.sameSession && one.atGateway < 1000 && one.atService < 1000,
    );
    const of = (pick: (one: Outcome) => number | boolean): number[] =>
      outcomes.map((one) => Number(pick(one)));
    const said = (times: number[]): string =>
      `p99 ${formatNumber(percentile(times, 99))} ms, at most ${formatNumber(percentile(times, 100))} ms`;
    const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
    return {
      figure: `${good.length} of ${count}; refused at the gateway ${said(of((one) => one.atGateway))}, at the service ${said(of((one) => one.atService))}; ${sum(of((one) => one.worksOn))} work on with the new roles, ${sum(of((one) => one.sameSession))} in the same session`,
      pass: good.length === count,
    };
  } finally {
    await stage.stop();
  }
}
