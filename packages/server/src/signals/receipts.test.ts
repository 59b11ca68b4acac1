// Receipts on a real database and a real fleet: whom they wait for, what wakes them, and that they always end.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fleetSilence, trustTime } from '../rules/lifetimes.ts';
import { writeMeta } from '../storage/meta.ts';
import { migrate } from '../storage/schema.ts';
import { insertSignal } from '../storage/signals.ts';
import { openSqlite } from '../storage/sqlite.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { createReceipts } from './receipts.ts';

const directory = mkdtempSync(join(tmpdir(), 'lk-receipts-'));
const opened: (() => unknown)[] = [];
after(async () => {
  for (const close of opened.reverse()) await close();
  rmSync(directory, { recursive: true });
});
let files = 0;

const forever = 600_000;
const nobodyLeaves = new AbortController().signal;
const patient = { timeout: forever, gone: nobodyLeaves, privileged: true };
const reader = (i: number) => ({
  ...{ clientId: 'cli_1', instance: `instance-${i}`, name: `records-${i}`, version: '' },
});

async function fresh(most = 200) {
  const clock = { time: 1_800_000_000_000 };
  const database = openSqlite({ file: join(directory, `${files++}.db`), now: () => clock.time });
  await migrate(database);
  await database.write((tx) => writeMeta(tx, 'epoch', 'e1'));
  const newFleet = () => {
    const made = createFleet({ database, onError: (error) => assert.fail(String(error)) });
    opened.push(() => made.close());
    return made;
  };
  opened.push(() => database.close());
  const fleet = newFleet();
  const hub = {
    said: { seq: 0 },
    asked: 0,
    ask() {
      this.asked += 1;
    },
  };
  const receipts = createReceipts({
    ...{ queries: database, epoch: 'e1', fleet, hub, most },
    maxLife: async () => 300,
  });
  opened.push(() => receipts.close());
  /** Commits one more signal; the streams are told of it unless `kept` back. */
  async function revoke(kept = false): Promise<number> {
    const seq = await database.write((tx) =>
      insertSignal(tx, { kind: 'revoke', by: 'sid', value: `s${files}` }, null),
    );
    if (!kept) hub.said = { seq };
    return seq;
  }
  return { clock, database, fleet, newFleet, hub, receipts, revoke };
}

const acknowledge = (fleet: Fleet, i: number, seq: number) =>
  fleet.acknowledge('cli_1', { instance: `instance-${i}`, epoch: 'e1', seq });

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !condition(); i += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(condition(), 'waited in vain');
}

/** Whether a promise is settled by now, some turns of the loop given. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  const later = new Promise((resolve) => setTimeout(() => resolve(pending), 30));
  return (await Promise.race([promise, later])) !== pending;
}

test('nobody is registered: answered at once, and nobody is asked', async () => {
  const { receipts, revoke, hub } = await fresh();
  const seq = await revoke();
  assert.deepEqual(await receipts.take(patient), { seq, applied: [], pending: [] });
  assert.equal(hub.asked, 0);
});

test('the fleet is asked once for all who wait, and each receipt ends with the last acknowledgement', async () => {
  const { fleet, receipts, revoke, hub } = await fresh();
  for (const i of [1, 2, 3]) await fleet.enter(reader(i));
  const first = await revoke();
  const waiting = Array.from({ length: 50 }, () => receipts.take(patient));
  await until(() => hub.asked > 0);
  for (const i of [1, 2]) await acknowledge(fleet, i, first);
  assert.equal(await isSettled(Promise.race(waiting)), false);
  await acknowledge(fleet, 3, first);
  for (const receipt of await Promise.all(waiting)) {
    assert.deepEqual(
      receipt.applied.map(({ name }) => name),
      ['records-1', 'records-2', 'records-3'],
    );
    assert.deepEqual([receipt.seq, receipt.pending], [first, []]);
  }
  assert.ok(hub.asked <= 2, String(hub.asked));
});

test('nobody is asked before the streams have been told: the answer would be about what came before', async () => {
  const { fleet, receipts, revoke, hub } = await fresh();
  await fleet.enter(reader(1));
  const seq = await revoke(true);
  const waiting = receipts.take(patient);
  assert.equal(await isSettled(waiting), false);
  assert.equal(hub.asked, 0);
  hub.said = { seq };
  await until(() => hub.asked === 1);
  await acknowledge(fleet, 1, seq);
  assert.equal((await waiting).applied.length, 1);
});

test('an acknowledgement of something earlier, or of another epoch, does not count', async () => {
  const { fleet, receipts, revoke } = await fresh();
  await fleet.enter(reader(1));
  await revoke();
  const seq = await revoke();
  const waiting = receipts.take(patient);
  await acknowledge(fleet, 1, seq - 1);
  await fleet.acknowledge('cli_1', { instance: 'instance-1', epoch: 'e0', seq });
  assert.equal(await isSettled(waiting), false);
  await acknowledge(fleet, 1, seq);
  assert.equal((await waiting).pending.length, 0);
});

test('time over: who has not applied it is named, with the moment when it must have stopped trusting what it has', async () => {
  const { clock, fleet, receipts, revoke } = await fresh();
  for (const i of [1, 2]) await fleet.enter(reader(i));
  const seq = await revoke();
  await acknowledge(fleet, 1, seq);
  const receipt = await receipts.take({ ...patient, timeout: 50 });
  assert.deepEqual(receipt, {
    seq,
    applied: [{ name: 'records-1', instance: 'instance-1' }],
    pending: [
      {
        ...{ name: 'records-2', instance: 'instance-2' },
        safe_at: new Date(clock.time + trustTime(300)).toISOString(),
      },
    ],
  });
});

test('silent ones are not waited for, but named until they are safe', async () => {
  const { clock, fleet, receipts, revoke } = await fresh();
  await fleet.enter(reader(1));
  clock.time += fleetSilence;
  await revoke();
  const { pending } = await receipts.take(patient);
  assert.deepEqual(
    pending.map(({ safe_at }) => Date.parse(safe_at)),
    [clock.time + trustTime(300)],
  );
  clock.time += trustTime(300);
  await revoke();
  assert.deepEqual((await receipts.take(patient)).pending, []);
});

test('one that leaves is waited for no longer: gone without a word it is pending, with a word it is not', async () => {
  const { fleet, receipts, revoke } = await fresh();
  const leave = await fleet.enter(reader(1));
  await fleet.enter(reader(2));
  const seq = await revoke();
  const waiting = receipts.take(patient);
  await fleet.acknowledge('cli_1', { instance: 'instance-2', epoch: 'e1', seq: 0, leaving: true });
  assert.equal(await isSettled(waiting), false);
  leave();
  const receipt = await waiting;
  assert.deepEqual([receipt.seq, receipt.applied], [seq, []]);
  assert.deepEqual(
    receipt.pending.map(({ instance }) => instance),
    ['instance-1'],
  );
});

test('what another server took is seen as well', async () => {
  const { fleet, newFleet, receipts, revoke } = await fresh();
  const elsewhere = newFleet();
  await elsewhere.enter(reader(1));
  await fleet.enter(reader(2));
  const seq = await revoke();
  const waiting = receipts.take(patient);
  await acknowledge(fleet, 2, seq);
  await acknowledge(elsewhere, 1, seq);
  assert.equal((await waiting).applied.length, 2);
});

test('half of the places are for those who administer', async () => {
  const { fleet, receipts, revoke } = await fresh(4);
  await fleet.enter(reader(1));
  await revoke();
  const anybody = { ...patient, privileged: false };
  const waiting = [receipts.take(anybody), receipts.take(anybody)];
  assert.equal(await isSettled(Promise.race(waiting)), false);
  assert.equal((await receipts.take(anybody)).pending.length, 1);
  const administrator = receipts.take(patient);
  assert.equal(await isSettled(administrator), false);
  receipts.close();
  await Promise.all([...waiting, administrator]);
});

test('no more wait than may: the next one is answered with what is known; whoever goes away makes room', async () => {
  const { fleet, receipts, revoke } = await fresh(2);
  await fleet.enter(reader(1));
  await revoke();
  const gone = new AbortController();
  const one = receipts.take({ ...patient, gone: gone.signal });
  const two = receipts.take(patient);
  assert.equal(await isSettled(Promise.race([one, two])), false);
  assert.equal((await receipts.take(patient)).pending.length, 1);
  gone.abort();
  assert.equal((await one).pending.length, 1);
  const three = receipts.take(patient);
  assert.equal(await isSettled(three), false);
  receipts.close();
  for (const receipt of await Promise.all([two, three])) assert.equal(receipt.pending.length, 1);
  assert.equal((await receipts.take(patient)).pending.length, 1);
});
