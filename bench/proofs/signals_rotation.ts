// Keys change while people work: twenty rotations by the schedule, and five keys removed because they have leaked. The schedule's time is
// moved, not waited for: the row of the next key is made older in the database, as a test device, and the plan is asked for through
// the administration; everything else is as it runs.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { expectStatus, field } from '../auth/systems.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';
import { formatNumber } from '../harness/table.ts';
import { type HonestClients, startHonestClients } from '../signals/honest_clients.ts';
import { fetchTokens, type Holder, type RegisteredClient, signInPeople } from '../signals/people.ts';
import { createProbe, type Probe } from '../signals/probes.ts';
import { type Gateway, openAdmin, type Stage, startStage } from '../signals/stage.ts';
import { counted } from '../signals/words.ts';

export const name = 'signals_rotation';
export const goal =
  '20 scheduled rotations and 5 emergency removals under load: 0 failed requests of honest clients (refresh and retry allowed for the emergency), the removed key refused everywhere in < 1 s';

/** Seconds: short, so that everybody refreshes several times. */
const accessTokenLife = 30;
const rate = 300;

/** As if the next key had been published for longer than any cache keeps the key set. */
function ageNextKey({ dataDir }: Stage): void {
  const database = new DatabaseSync(join(dataDir, 'latchkey.db'));
  database.exec(`PRAGMA busy_timeout = 5000;
    UPDATE signing_keys SET created_at = created_at - 400000, activates_at = activates_at - 400000 WHERE state = 'next'`);
  database.close();
}

/** Asks until the plan agrees: it waits for the registered verifiers to say that they have the key. Answers the key that signs now. */
async function rotateOnce(stage: Stage): Promise<string> {
  ageNextKey(stage);
  const request = stage.admin.request('POST', 'keys/rotate', {});
  for (const end = performance.now() + 20_000; performance.now() < end; await sleep(200)) {
    const answer = await stage.admin.pool.send(request);
    if (answer.status !== 409) return field(expectStatus(answer, 200), 'kid');
  }
  throw new Error('the next key is not let sign');
}

async function rotate(stage: Stage, times: number): Promise<number> {
  const kids = new Set<string>();
  for (let i = 0; i < times; i += 1) {
    kids.add(await rotateOnce(stage));
    await sleep(1500);
  }
  return kids.size;
}

interface Removal {
  /** Milliseconds until each door refused a token of the key. */
  readonly took: readonly number[];
}

/** Removes the key that signs now; a token that it has just signed must be refused at every door. */
async function removeCurrentKey(
  { authPort }: Stage,
  { accessToken }: Holder,
  doors: readonly Probe[],
): Promise<Removal> {
  for (const door of doors) {
    if ((await door.ask(accessToken)).status !== 200) throw new Error('the token of the key is not good');
  }
  // The administrator's token dies with the key that signed it, so each removal begins with a sign-in.
  const admin = await openAdmin(authPort);
  const header = JSON.parse(Buffer.from(accessToken.split('.')[0] ?? '', 'base64url').toString());
  await admin.call(204, 'DELETE', `keys/${(header as { kid: string }).kid}`);
  const from = performance.now();
  const took = await Promise.all(doors.map((door) => door.untilRefused(accessToken, undefined, from)));
  admin.pool.close();
  return { took };
}

async function openDoors(stage: Stage): Promise<{ gateways: readonly Gateway[]; doors: readonly Probe[] }> {
  const answer = await stage.admin.call(201, 'POST', 'clients', { name: 'gateway' });
  const client: RegisteredClient = { id: field(answer, 'id'), secret: field(answer, 'secret') };
  const gateways = [
    await stage.startGateway({ client }),
    await stage.startGateway({ client }),
    await stage.startGateway(),
  ];
  return { gateways, doors: [...gateways, { port: stage.servicePort }].map((place) => createProbe(place)) };
}

function said({ work }: HonestClients, what: string): string {
  const first = work.failures.length > 0 ? ` (${work.failures.slice(0, 3).join('; ')})` : '';
  return `${what}: ${work.failures.length} of ${counted(work.requests)} requests failed${first}, ${work.refused} refused at first, ${work.refreshes} refreshes`;
}

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const [rotations, removals] = quick ? [3, 2] : [20, 5];
  const stage = await startStage({ accessTokenLife, service: 'verifying' });
  try {
    const { gateways, doors } = await openDoors(stage);
    const people = signInPeople(
      stage.dataDir,
      Array.from({ length: 50 + removals }, () => ({})),
    );
    const ports = gateways.map(({ port }) => port);
    const clients = await startHonestClients(people.slice(removals), ports, rate);
    await sleep(2000);
    const rotated = await rotate(stage, rotations);
    // Until every token of the last key but one has been refreshed.
    await sleep(quick ? 2000 : accessTokenLife * 1000);
    const scheduled = said(clients, `${rotated} rotations`);
    const harmless = clients.work.failures.length === 0 && clients.work.refused === 0;
    clients.fresh();
    const taken: number[] = [];
    for (const person of people.slice(0, removals)) {
      const [holder] = await fetchTokens(stage.authPort, [person]);
      taken.push(...(await removeCurrentKey(stage, holder as Holder, doors)).took);
      await sleep(3000);
    }
    await clients.stop();
    const worst = Math.max(...taken);
    return {
      figure: `${scheduled}; ${said(clients, `${removals} removals`)}; the removed key refused at ${doors.length} of ${doors.length} doors after at most ${formatNumber(worst)} ms`,
      pass: harmless && rotated === rotations && clients.work.failures.length === 0 && worst < 1000,
    };
  } finally {
    await stage.stop();
  }
}
