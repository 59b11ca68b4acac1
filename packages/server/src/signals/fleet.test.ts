// The fleet on a real database with a moved clock: who is in it, what an acknowledgement changes, and its limits.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AuthError } from '../errors.ts';
import { fleetSilence, trustTime } from '../rules/lifetimes.ts';
import { writeMeta } from '../storage/meta.ts';
import { migrate } from '../storage/schema.ts';
import { insertSignal } from '../storage/signals.ts';
import { openSqlite } from '../storage/sqlite.ts';
import { countBehind, measureFleet, sweepVerifiers } from '../storage/verifiers.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { isLive } from './fleet_member.ts';

const directory = mkdtempSync(join(tmpdir(), 'lk-fleet-'));
const opened: { close(): Promise<void> }[] = [];
after(async () => {
  for (const one of opened.reverse()) await one.close();
  rmSync(directory, { recursive: true });
});
let files = 0;

async function fresh() {
  const clock = { time: 1_800_000_000_000, monotonic: 0 };
  const file = join(directory, `${files++}.db`);
  const database = openSqlite({ file, now: () => clock.time });
  await migrate(database);
  await database.write(async (tx) => {
    await writeMeta(tx, 'epoch', 'e1');
    for (let i = 0; i < 10; i += 1)
      await insertSignal(tx, { kind: 'revoke', by: 'sid', value: `s${i}` }, null);
  });
  const errors: unknown[] = [];
  const open = () =>
    createFleet({
      database,
      onError: (error) => errors.push(error),
      monotonic: () => clock.monotonic,
    });
  const fleet = open();
  opened.push(database, fleet);
  return { clock, database, fleet, open, errors };
}

const reader = { clientId: 'cli_1', instance: 'instance-1', name: 'records', version: 'latchkey-core/1.0' };
const code = (wanted: string) => (error: unknown) => error instanceof AuthError && error.code === wanted;
const only = async (fleet: Fleet) => (await fleet.look()).verifiers[0];

/** Lets what was begun without being waited for come to its end. */
async function settled(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail('waited in vain');
}

test('a reader enters without a position, acknowledges, and leaves with its stream', async () => {
  const { clock, fleet } = await fresh();
  const leave = await fleet.enter(reader);
  assert.deepEqual(await only(fleet), {
    ...reader,
    ...{ open: true, connectedAt: clock.time, seenAt: clock.time, epoch: null, seq: null, asOf: clock.time },
  });
  clock.time += 3000;
  await fleet.acknowledge('cli_1', { instance: 'instance-1', epoch: 'e1', seq: 4 });
  const said = await only(fleet);
  assert.deepEqual([said?.epoch, said?.seq, said?.seenAt], ['e1', 4, clock.time]);
  clock.time += 2000;
  leave();
  leave();
  await settled(async () => (await only(fleet))?.open === false);
  assert.equal((await only(fleet))?.asOf, clock.time);
});

test('a number never goes down; another epoch and a number that is not there yet are only signs of life', async () => {
  const { clock, fleet } = await fresh();
  await fleet.enter(reader);
  const say = (epoch: string, seq: number) =>
    fleet.acknowledge('cli_1', { instance: 'instance-1', epoch, seq });
  await say('e1', 7);
  for (const [epoch, seq] of [
    ['e1', 3],
    ['e0', 9],
    ['e1', 11],
  ] as const) {
    clock.time += 1000;
    clock.monotonic += 1000;
    await say(epoch, seq);
    const said = await only(fleet);
    assert.deepEqual([said?.epoch, said?.seq, said?.seenAt], ['e1', 7, clock.time]);
  }
});

test('who is not known, or is another client’s, is told so; one that says it is leaving is gone at once', async () => {
  const { fleet } = await fresh();
  await fleet.enter(reader);
  const said = { instance: 'instance-1', epoch: 'e1', seq: 1 };
  await assert.rejects(fleet.acknowledge('cli_1', { ...said, instance: 'instance-2' }), code('not_found'));
  await assert.rejects(fleet.acknowledge('cli_2', said), code('not_found'));
  await fleet.acknowledge('cli_1', { ...said, leaving: true });
  assert.equal(await only(fleet), undefined);
  await assert.rejects(fleet.acknowledge('cli_1', said), code('not_found'));
  await assert.rejects(fleet.acknowledge('cli_1', { ...said, leaving: true }), code('not_found'));
});

test('the end of an old stream does not end the one that came after it, at another server too', async () => {
  const { fleet, open, errors } = await fresh();
  const other = open();
  opened.push(other);
  const leaveFirst = await fleet.enter(reader);
  await fleet.acknowledge('cli_1', { instance: 'instance-1', epoch: 'e1', seq: 5 });
  const leaveSecond = await other.enter(reader);
  assert.equal((await only(fleet))?.seq, 5, 'what it has applied it still has');
  const heard: string[] = [];
  fleet.onChange(({ instance }) => heard.push(instance));
  leaveFirst();
  await settled(async () => heard.length === 1);
  assert.equal((await only(fleet))?.open, true);
  leaveSecond();
  await settled(async () => (await only(fleet))?.open === false);
  assert.deepEqual(errors, []);
});

test('what says nothing new is not written within a second, and what says much is refused', async () => {
  const { clock, fleet } = await fresh();
  await fleet.enter(reader);
  const say = (seq: number) => fleet.acknowledge('cli_1', { instance: 'instance-1', epoch: 'e1', seq });
  await say(0);
  const written = clock.time;
  clock.time += 10;
  await say(0);
  assert.equal((await only(fleet))?.seenAt, written);
  // Forged numbers, each higher than the last.
  const flood = Array.from({ length: 40 }, (_, i) => say(100 + i));
  const refused = (await Promise.allSettled(flood)).filter(({ status }) => status === 'rejected');
  assert.equal(refused.length, 21);
  await assert.rejects(say(1000), code('rate_limited'));
  clock.monotonic += 1000;
  await say(10);
  assert.equal((await only(fleet))?.seq, 10);
});

test('256 of one client: then the one that has been gone longest makes room, and with all connected nobody does', async () => {
  const { clock, fleet } = await fresh();
  const enter = (i: number) => fleet.enter({ ...reader, instance: `instance-${i}` });
  const leaves = await Promise.all(Array.from({ length: 256 }, (_, i) => enter(i)));
  await assert.rejects(enter(256), code('rate_limited'));
  await enter(255);
  await fleet.enter({ ...reader, clientId: 'cli_2' });
  for (const i of [7, 3]) {
    leaves[i]?.();
    await settled(async () => {
      const { verifiers } = await fleet.look();
      return verifiers.find(({ instance }) => instance === `instance-${i}`)?.open === false;
    });
    clock.time += 1000;
  }
  await enter(256);
  const left = new Set((await fleet.look()).verifiers.map(({ instance }) => instance));
  assert.ok(left.has('instance-3') && left.has('instance-256') && !left.has('instance-7'));
  assert.equal(left.size, 256);
});

test('silent for 60 s: nobody waits for it, but it is kept until it must have stopped trusting what it has', async () => {
  const { clock, database, fleet } = await fresh();
  const leave = await fleet.enter({ ...reader, instance: 'instance-2' });
  leave();
  await settled(async () => (await only(fleet))?.open === false);
  await fleet.enter(reader);
  assert.equal(await countBehind(database, 1, fleetSilence), 1);
  clock.time += fleetSilence;
  assert.equal(await countBehind(database, 1, fleetSilence), 0);
  const view = await fleet.look();
  assert.deepEqual(
    view.verifiers.map((verifier) => isLive(verifier, view.now)),
    [false, false],
  );
  const trust = trustTime(300);
  const sweep = () => database.write((tx) => sweepVerifiers(tx, trust, fleetSilence, 100));
  clock.time += trust - fleetSilence;
  assert.equal(await sweep(), 0);
  clock.time += 1;
  assert.equal(await sweep(), 1);
  assert.equal((await only(fleet))?.instance, 'instance-1');
  clock.time += fleetSilence;
  assert.equal(await sweep(), 1);
  await assert.rejects(
    fleet.acknowledge('cli_1', { instance: 'instance-1', epoch: 'e1', seq: 1 }),
    code('not_found'),
  );
});

test('size and lag count the fleet, and those that have said nothing or of another epoch not into the lag', async () => {
  const { clock, database, fleet } = await fresh();
  assert.deepEqual(await measureFleet(database, fleetSilence), { size: 0, lag: 0 });
  for (const i of [1, 2, 3]) await fleet.enter({ ...reader, instance: `instance-${i}` });
  await fleet.acknowledge('cli_1', { instance: 'instance-1', epoch: 'e1', seq: 8 });
  await fleet.acknowledge('cli_1', { instance: 'instance-2', epoch: 'e1', seq: 3 });
  assert.deepEqual(await measureFleet(database, fleetSilence), { size: 3, lag: 7 });
  assert.equal(await countBehind(database, 3, fleetSilence), 1);
  assert.equal(await countBehind(database, 4, fleetSilence), 2);
  clock.time += fleetSilence;
  assert.deepEqual(await measureFleet(database, fleetSilence), { size: 0, lag: 0 });
});

test('a version is cut and cleaned; closing says that the streams here are closed, and a late end says nothing', async () => {
  const { fleet, open } = await fresh();
  const leave = await fleet.enter({ ...reader, version: `a\n\u001b[31m\u202e${'b'.repeat(500)}` });
  assert.equal((await only(fleet))?.version, `a[31m${'b'.repeat(123)}`);
  await fleet.close();
  leave();
  assert.equal((await only(open()))?.open, false);
});
