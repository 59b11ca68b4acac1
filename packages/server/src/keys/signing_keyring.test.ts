// The keyring on a real database with a moved clock: states, removal, a change of the algorithm, two rotations at once.
// That no verifier ever meets a key that it cannot have: test/attacks/k04_rotation_order.test.ts.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Algorithm } from '@latchkey/core';
import { AuthError } from '../errors.ts';
import { keyLeadTime } from '../rules/lifetimes.ts';
import { createSignalPublisher } from '../signals/publisher.ts';
import type { Database } from '../storage/database.ts';
import { writeMeta } from '../storage/meta.ts';
import { migrate } from '../storage/schema.ts';
import { signalsAfter } from '../storage/signals.ts';
import { openSqlite } from '../storage/sqlite.ts';
import { acknowledgeSignals, closeVerifier, enterVerifier } from '../storage/verifiers.ts';
import { createMasterKey, MasterKeyError } from './master_key.ts';
import { openSigningKeyring } from './signing_keyring.ts';

const directory = mkdtempSync(join(tmpdir(), 'lk-keyring-'));
const opened: Database[] = [];
after(async () => {
  for (const database of opened) await database.close();
  rmSync(directory, { recursive: true });
});

const origin = { actor: 'system', ip: 'local', requestId: 'test' };
const day = 86_400_000;
let files = 0;

async function fresh() {
  const clock = { time: 1_800_000_000_000 };
  const file = join(directory, `${files++}.db`);
  const database = openSqlite({ file, now: () => clock.time });
  opened.push(database);
  await migrate(database);
  const secret = randomBytes(32);
  const open = (alg: Exclude<Algorithm, 'HS256'> = 'ES256', key: Uint8Array = secret) =>
    openSigningKeyring(
      {
        database,
        masterKey: createMasterKey(key),
        signals: createSignalPublisher(
          async () => 300,
          () => {},
        ),
        policy: { alg, every: 30 * day },
        longestTokenLife: async () => 300,
      },
      origin,
    );
  return { clock, database, open };
}

type Keyring = Awaited<ReturnType<Awaited<ReturnType<typeof fresh>>['open']>>;
const states = async (keyring: Keyring) =>
  (await keyring.list()).map(({ state, alg }) => `${state} ${alg}`).sort();

test('the first start makes a key that signs and one that is published beside it', async () => {
  const keyring = await (await fresh()).open();
  assert.deepEqual(await states(keyring), ['current ES256', 'next ES256']);
  assert.equal(JSON.parse(keyring.published.body).keys.length, 2);
});

test('opened again, the same key signs; under another master key nothing opens', async () => {
  const { open } = await fresh();
  const kid = (await open()).current.kid;
  assert.equal((await open()).current.kid, kid);
  await assert.rejects(open('ES256', randomBytes(32)), MasterKeyError);
});

test('nothing due: nothing written, nobody told', async () => {
  const { clock, database, open } = await fresh();
  const keyring = await open();
  const etag = keyring.published.etag;
  const before = (await signalsAfter(database, 0, 100)).length;
  clock.time += 29 * day;
  for (let i = 0; i < 3; i += 1) await keyring.rotate(origin);
  assert.equal(keyring.published.etag, etag);
  assert.equal((await signalsAfter(database, 0, 100)).length, before);
});

test('due: the next signs, the old one stays published, and a new next one joins; verifiers are told', async () => {
  const { clock, database, open } = await fresh();
  const keyring = await open();
  const [old, next] = [
    keyring.current.kid,
    (await keyring.list()).find(({ state }) => state === 'next')?.kid,
  ];
  clock.time += 30 * day;
  await keyring.rotate(origin);
  assert.equal(keyring.current.kid, next);
  assert.ok(keyring.verificationKeys.has(old));
  assert.deepEqual(await states(keyring), ['current ES256', 'next ES256', 'previous ES256']);
  assert.equal((await signalsAfter(database, 0, 100)).at(-1)?.kind, 'keys');
});

test('ten rotations at once, in two keyrings: one rotation', async () => {
  const { clock, open } = await fresh();
  const [one, two] = [await open(), await open()];
  clock.time += 30 * day;
  await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? one : two).rotate(origin)));
  assert.deepEqual(await states(one), ['current ES256', 'next ES256', 'previous ES256']);
  assert.equal(one.current.kid, two.current.kid);
});

test('an emergency: a removed key is gone at once from the set, and marked for ever', async () => {
  const { database, open } = await fresh();
  const keyring = await open();
  for (const state of ['next', 'current', 'current'] as const) {
    const kid = (await keyring.list()).find((key) => key.state === state)?.kid ?? '';
    await keyring.remove(kid, origin);
    assert.ok(!keyring.published.body.includes(kid) && !keyring.verificationKeys.has(kid));
    assert.deepEqual(await states(keyring), ['current ES256', 'next ES256']);
    const mark = (await signalsAfter(database, 0, 100)).find(({ value }) => value === kid);
    assert.deepEqual([mark?.kind, mark?.by, mark?.until], ['revoke', 'kid', null]);
  }
  await assert.rejects(
    keyring.remove('unknown', origin),
    (error) => error instanceof AuthError && error.code === 'not_found',
  );
});

test('another algorithm: the old key signs until every cache can have the new one, then it retires', async () => {
  const { clock, open } = await fresh();
  await open();
  const keyring = await open('EdDSA');
  assert.equal(keyring.current.alg, 'ES256');
  assert.deepEqual(await states(keyring), ['current ES256', 'next EdDSA']);
  clock.time += 10 * 60_000;
  await keyring.rotate(origin);
  assert.equal(keyring.current.alg, 'EdDSA');
  assert.deepEqual(await states(keyring), ['current EdDSA', 'next EdDSA', 'previous ES256']);
  clock.time += 10 * 60_000;
  await keyring.rotate(origin);
  assert.deepEqual(await states(keyring), ['current EdDSA', 'next EdDSA']);
});

test('an emergency in the middle of a change of the algorithm', async () => {
  const { open } = await fresh();
  await open();
  const keyring = await open('EdDSA');
  await keyring.remove(keyring.current.kid, origin);
  assert.deepEqual(await states(keyring), ['current EdDSA', 'next EdDSA']);
});

const verifier = { clientId: 'cli_1', instance: 'instance-1', name: 'records', version: '' };

/** A keyring and a registered verifier that is connected, and says what it is told to. */
async function withVerifier() {
  const world = await fresh();
  const { database } = world;
  await database.write((tx) => writeMeta(tx, 'epoch', 'e1'));
  const keyring = await world.open();
  await database.write((tx) => enterVerifier(tx, verifier, 'c1', 256));
  const acknowledge = (seq: number) => database.write((tx) => acknowledgeSignals(tx, verifier, 'e1', seq));
  const head = async () => (await signalsAfter(database, 0, 1000)).at(-1)?.seq ?? 0;
  const rotated = async (...how: boolean[]) => {
    const before = keyring.current.kid;
    await keyring.rotate(origin, ...how);
    return keyring.current.kid !== before;
  };
  return { ...world, keyring, acknowledge, head, rotated };
}

test('a rotation that is due waits until every connected verifier has said that it has the next key', async () => {
  const { clock, acknowledge, head, rotated } = await withVerifier();
  const published = await head();
  clock.time += 30 * day;
  await acknowledge(published - 1);
  assert.equal(await rotated(), false);
  assert.equal(await head(), published, 'waiting is told to nobody');
  await acknowledge(published);
  assert.equal(await rotated(), true);
});

test('a forced rotation waits for them too, an early one for nobody', async () => {
  const { clock, acknowledge, head, rotated } = await withVerifier();
  assert.equal(await rotated(true), false);
  await acknowledge(await head());
  assert.equal(await rotated(true), true);
  // The key after that was published by the rotation itself.
  clock.time += keyLeadTime;
  await acknowledge((await head()) - 1);
  assert.equal(await rotated(true), false);
  assert.equal(await rotated(true, true), true);
});

test('nobody is waited for longer than the lead time, nor when it is silent or gone', async () => {
  const { clock, database, acknowledge, rotated } = await withVerifier();
  clock.time += 30 * day;
  for (let minutes = 0; minutes < 6; minutes += 1) {
    await acknowledge(0);
    assert.equal(await rotated(), false, String(minutes));
    clock.time += 60_000;
  }
  await acknowledge(0);
  assert.equal(await rotated(), true);
  clock.time += 30 * day;
  assert.equal(await rotated(), true, 'silent for long');
  clock.time += 30 * day;
  await acknowledge(0);
  assert.equal(await rotated(), false);
  await database.write((tx) => closeVerifier(tx, verifier, 'c1'));
  assert.equal(await rotated(), true);
});

test('an emergency waits for nobody, and the key that takes over signs for a whole period', async () => {
  const { clock, keyring, acknowledge, rotated } = await withVerifier();
  clock.time += 29 * day;
  await acknowledge(0);
  const { kid } = keyring.current;
  await keyring.remove(kid, origin);
  assert.notEqual(keyring.current.kid, kid);
  clock.time += 29 * day;
  assert.equal(await rotated(), false);
  clock.time += day;
  assert.equal(await rotated(), true);
});
