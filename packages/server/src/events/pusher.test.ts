// Several instances on one database: one of them delivers to a receiver at a time; and what is given up after a day of failures.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { generateKeyPair } from '@latchkey/core';
import { createMasterKey } from '../keys/master_key.ts';
import { createSignalPublisher } from '../signals/publisher.ts';
import { listAudit } from '../storage/audit.ts';
import { insertClient } from '../storage/clients.ts';
import type { Database } from '../storage/database.ts';
import { findReceiver, insertReceiver, leaseReceiver, updateReceiver } from '../storage/receivers.ts';
import { migrate } from '../storage/schema.ts';
import { openSqlite } from '../storage/sqlite.ts';
import { createPusher } from './pusher.ts';
import { createAddressPolicy } from './receiver_address.ts';
import { createRecorder } from './recorder.ts';

const directory = mkdtempSync(join(tmpdir(), 'lk-pusher-'));
const origin = { actor: 'system', ip: 'local', requestId: 'test' };
const issuer = 'http://127.0.0.1:8080/auth';
const masterKey = createMasterKey(randomBytes(32));
const { signingKey } = generateKeyPair('ES256');
const clock = { time: 1_800_000_000_000 };
const told: string[] = [];
let answer: (response: ServerResponse) => unknown = (response) => response.writeHead(202).end();
let database: Database;
let endpoint = '';

const receiver = createServer((request, response) => {
  let token = '';
  request.setEncoding('utf8').on('data', (text: string) => {
    token += text;
  });
  request.on('end', () => {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    told.push(claims.sub_id.sub);
    answer(response);
  });
});

before(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  database = openSqlite({ file: join(directory, 'a.db'), now: () => clock.time });
  await migrate(database);
  const settings = {
    clientId: 'c',
    delivery: 'push',
    authorization: null,
    events: ['session-revoked'],
  } as const;
  await database.write(async (tx) => {
    await insertClient(tx, { id: 'c', name: 'c', secretHash: 'x', scopes: [], audiences: [] });
    await insertReceiver(tx, { ...settings, endpoint }, 'tag', 10);
  });
});
after(async () => {
  receiver.closeAllConnections();
  receiver.close();
  await database.close();
  rmSync(directory, { recursive: true });
});

const errors: unknown[] = [];
const instance = () =>
  createPusher({
    database,
    masterKey,
    issuer,
    signingKey: () => signingKey,
    addresses: createAddressPolicy([], issuer),
    origin,
    wanted: () => true,
    onError: (error) => errors.push(error),
  });

const record = createRecorder({ wanted: () => true, wake: () => {}, origin, most: 1000 });
const signals = createSignalPublisher(
  async () => 300,
  () => {},
  record,
);
const end = (user: string) =>
  database.write((tx) => signals.mark(tx, { kind: 'revoke', by: 'sub', value: user, below: 2 }));
const state = async () => (await findReceiver(database, 'c')) ?? assert.fail('gone');

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 2000; i += 1) {
    if (await condition()) return;
    await pause(5);
  }
  assert.fail('never');
}

test('three instances: every event once, in order', async () => {
  const users = Array.from({ length: 100 }, (_, i) => `user${i}`);
  const instances = [instance(), instance(), instance()];
  for (const user of users) {
    await end(user);
    for (const one of instances) one.wake();
  }
  await until(async () => (await state()).waiting === 0);
  await Promise.all(instances.map((one) => one.close()));
  assert.deepEqual(told, users);
  assert.deepEqual(errors, []);
});

test('a lease that its holder never gives back ends by itself', async () => {
  told.length = 0;
  await end('ada');
  assert.ok(await database.write((tx) => leaseReceiver(tx, 'c', 'of one that died', 20_000)));
  const one = instance();
  one.wake();
  await pause(50);
  assert.deepEqual(told, []);
  clock.time += 20_000;
  one.wake();
  await until(async () => (await state()).waiting === 0);
  await one.close();
  assert.deepEqual(told, ['ada']);
});

test('after a day of failures it is given up, said once, and events are kept; registered again it goes on', async () => {
  told.length = 0;
  answer = (response) => response.writeHead(503).end();
  await end('ada');
  const one = instance();
  for (const hours of [0, 1, 24]) {
    clock.time += hours * 3_600_000;
    const { failures } = await state();
    one.wake();
    await until(async () => (await state()).failures === failures + 1);
  }
  const { failures, lastError, paused, waiting } = await state();
  assert.deepEqual([failures, lastError, paused, waiting], [3, 'status_503', true, 1]);
  clock.time += 48 * 3_600_000;
  one.wake();
  const rows = await listAudit(database, { action: 'receiver.pause' }, '', 10);
  assert.deepEqual(
    rows.map(({ reason, target }) => [target, reason]),
    [['c', 'status_503']],
  );
  answer = (response) => response.writeHead(202).end();
  const settings = {
    clientId: 'c',
    delivery: 'push',
    authorization: null,
    events: ['session-revoked'],
  } as const;
  await database.write((tx) => updateReceiver(tx, { ...settings, endpoint }));
  one.wake();
  await until(async () => (await state()).waiting === 0);
  await one.close();
  assert.deepEqual(told, ['ada', 'ada', 'ada', 'ada']);
});

test('a header that cannot be opened is told and waited over, not tried in a loop', async () => {
  const settings = {
    clientId: 'c',
    delivery: 'push',
    authorization: 'w1.broken',
    events: ['session-revoked'],
  } as const;
  await database.write((tx) => updateReceiver(tx, { ...settings, endpoint }));
  await end('ada');
  const one = instance();
  one.wake();
  await until(async () => (await state()).failures === 1);
  await one.close();
  assert.deepEqual([errors.length, (await state()).lastError], [1, 'fault']);
});
