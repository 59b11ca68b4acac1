// The outbox on a real database: full, old, in order, and nothing at all while nobody is registered.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSignalPublisher } from '../signals/publisher.ts';
import { listAudit } from '../storage/audit.ts';
import { insertClient } from '../storage/clients.ts';
import { findReceiver, insertReceiver } from '../storage/receivers.ts';
import { migrate } from '../storage/schema.ts';
import { readSecurityEvents, removeSecurityEvents, sweepSecurityEvents } from '../storage/security_events.ts';
import { openSqlite } from '../storage/sqlite.ts';
import { createRecorder } from './recorder.ts';

const directory = mkdtempSync(join(tmpdir(), 'lk-recorder-'));
const opened: { close(): Promise<void> }[] = [];
after(async () => {
  for (const database of opened) await database.close();
  rmSync(directory, { recursive: true });
});
const origin = { actor: 'system', ip: 'local', requestId: 'test' };
const most = 5;

async function fresh() {
  const clock = { time: 1_800_000_000_000 };
  const database = openSqlite({ file: join(directory, `${opened.length}.db`), now: () => clock.time });
  opened.push(database);
  await migrate(database);
  let wakes = 0;
  let isWanted = true;
  const wake = () => {
    wakes += 1;
  };
  const record = createRecorder({ wanted: () => isWanted, wake, origin, most });
  const signals = createSignalPublisher(
    async () => 300,
    () => {},
    record,
  );
  for (const id of ['one', 'two']) {
    const receiver = { clientId: id, delivery: 'poll', endpoint: null, authorization: null } as const;
    const events = id === 'one' ? ['session-revoked', 'credential-change'] : ['session-revoked'];
    await database.write(async (tx) => {
      await insertClient(tx, { id, name: id, secretHash: 'x', scopes: [], audiences: [] });
      assert.ok(await insertReceiver(tx, { ...receiver, events }, id, 2));
      assert.ok(!(await insertReceiver(tx, { ...receiver, clientId: 'more', events }, 'more', 2)));
    });
  }
  const end = (user: string, cause = 'logout') =>
    database.write((tx) => signals.mark(tx, { kind: 'revoke', by: 'sub', value: user, below: 2, cause }));
  const read = async (id: string) =>
    (await readSecurityEvents(database, id, 100)).map(({ content }) => JSON.parse(content).subject.user);
  const overflows = () => listAudit(database, { action: 'receiver.overflow' }, '', 100);
  return {
    clock,
    database,
    signals,
    end,
    read,
    overflows,
    wakes: () => wakes,
    want: (w: boolean) => (isWanted = w),
  };
}

test('the oldest go when a receiver has no room; it is said once, and again only after it has caught up', async () => {
  const { database, end, read, overflows } = await fresh();
  for (let i = 0; i < 9; i += 1) await end(`user${i}`);
  assert.deepEqual(await read('one'), ['user4', 'user5', 'user6', 'user7', 'user8']);
  const receiver = await findReceiver(database, 'one');
  assert.deepEqual([receiver?.waiting, receiver?.lost], [5, 4]);
  assert.deepEqual((await overflows()).map(({ target }) => target).sort(), ['one', 'two']);
  const jtis = (await readSecurityEvents(database, 'one', 100)).map(({ jti }) => jti);
  assert.equal(await database.write((tx) => removeSecurityEvents(tx, 'one', [...jtis, 'unknown'])), 5);
  for (let i = 0; i < 6; i += 1) await end(`later${i}`);
  assert.deepEqual((await overflows()).map(({ target }) => target).sort(), ['one', 'one', 'two']);
});

test('one change in one transaction: events of both kinds for one, in order; nothing of a change that failed', async () => {
  const { database, signals, end, read, wakes } = await fresh();
  await end('ada', 'password_set');
  const events = await readSecurityEvents(database, 'one', 10);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['session-revoked', 'credential-change'],
  );
  assert.deepEqual(await read('two'), ['ada']);
  const before = wakes();
  const failing = database.write(async (tx) => {
    await signals.mark(tx, { kind: 'revoke', by: 'sub', value: 'bea', below: 2 });
    throw new Error('rolled back');
  });
  await assert.rejects(failing, /rolled back/);
  assert.deepEqual([await read('two'), wakes()], [['ada'], before]);
  assert.equal((await findReceiver(database, 'two'))?.waiting, 1);
});

test('what nobody takes leaves with time, and is counted', async () => {
  const { clock, database, end, read } = await fresh();
  await end('ada');
  clock.time += 1000;
  await end('bea');
  clock.time += 500;
  const sweep = () => database.write((tx) => sweepSecurityEvents(tx, 1000, 100));
  assert.deepEqual([await sweep(), await sweep(), await sweep()], [1, 1, 0]);
  assert.deepEqual(await read('one'), ['bea']);
  const { waiting, lost } = (await findReceiver(database, 'one')) ?? {};
  assert.deepEqual([waiting, lost], [1, 1]);
});

test('nothing is asked or written while nobody is registered', async () => {
  const { database, end, want, wakes } = await fresh();
  want(false);
  await end('ada');
  assert.equal(wakes(), 0);
  assert.deepEqual(await database.all('SELECT 1 FROM security_events'), []);
});

test('keys, single tokens and the role table make no event', async () => {
  const { database, signals } = await fresh();
  await database.write(async (tx) => {
    await signals.mark(tx, { kind: 'revoke', by: 'jti', value: 'a' });
    await signals.mark(tx, { kind: 'revoke', by: 'kid', value: 'b' });
    await signals.mark(tx, { kind: 'stale', by: 'role', value: 'c', below: 2 });
    await signals.keys(tx);
  });
  assert.deepEqual(await database.all('SELECT 1 FROM security_events'), []);
});
