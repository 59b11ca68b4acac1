import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { generateKeyPair, verifyJws } from '@latchkey/core';
import type { Database } from '../storage/database.ts';
import { migrate } from '../storage/schema.ts';
import { sweepSignals } from '../storage/signals.ts';
import { openSqlite } from '../storage/sqlite.ts';
import { createSignalPublisher } from './publisher.ts';
import { createSnapshots, type Snapshot } from './snapshot.ts';

const directory = mkdtempSync(join(tmpdir(), 'lk-snapshot-'));
const opened: Database[] = [];
after(async () => {
  for (const database of opened) await database.close();
  rmSync(directory, { recursive: true });
});
const maxLife = async () => 300;
const signals = createSignalPublisher(maxLife, () => {});
const keys = [generateKeyPair('ES256'), generateKeyPair('ES256')];
const jwks = { keys: keys.map(({ publicJwk }) => publicJwk) };
let files = 0;

async function fresh() {
  const clock = { time: 1_800_000_000_000 };
  const database = openSqlite({ file: join(directory, `${files++}.db`), now: () => clock.time });
  opened.push(database);
  await migrate(database);
  const keyring = { current: 0, next: 0 };
  const create = () =>
    createSnapshots({
      ...{ queries: database, issuer: 'i', epoch: 'e1', maxLife },
      signingKey: () => keys[keyring.current]!.signingKey,
      keysChanged: async () => {
        keyring.current = keyring.next;
      },
    });
  const revoke = (value: string, by: 'sid' | 'kid' = 'sid') =>
    database.write((tx) => signals.mark(tx, { kind: 'revoke', by, value }));
  const stale = (value: string, below: number) =>
    database.write((tx) => signals.mark(tx, { kind: 'stale', by: 'sub', value, below }));
  return { clock, database, keyring, create, take: create(), revoke, stale };
}

interface Body {
  readonly seq: number;
  readonly marks: readonly { readonly kind: string; readonly by: string; readonly values: string[] }[];
}
const bodyOf = ({ body }: Snapshot) => JSON.parse(body.toString()) as Body;
const values = (snapshot: Snapshot) => bodyOf(snapshot).marks.flatMap((group) => group.values);
const saidBy = ({ signature }: Snapshot) => {
  const { header, payload } = verifyJws(signature, jwks, { algorithms: ['ES256'] });
  return { header, said: JSON.parse(Buffer.from(payload).toString()) };
};

test('the same set: the same bytes and ETag; a new signature once a second at the most', async () => {
  const { clock, take, revoke } = await fresh();
  await revoke('s1');
  const first = await take();
  clock.time += 999;
  assert.equal(await take(), first);
  clock.time += 1;
  const renewed = await take();
  assert.equal(renewed.body, first.body);
  assert.equal(renewed.etag, first.etag);
  assert.equal(saidBy(renewed).said.as_of, saidBy(first).said.as_of + 1000);
  await revoke('s2');
  const second = await take();
  assert.notEqual(second.etag, first.etag);
  assert.deepEqual(values(second), ['s1', 's2']);
});

test('marks leave when their time is over, and their groups with them', async () => {
  const { clock, take, revoke, stale } = await fresh();
  await stale('u1', 4);
  clock.time += 100_000;
  await revoke('s1');
  clock.time += 259_999;
  assert.deepEqual(values(await take()).sort(), ['s1', 'u1']);
  clock.time += 1;
  assert.deepEqual(values(await take()), ['s1']);
  clock.time += 100_000;
  assert.deepEqual(bodyOf(await take()).marks, []);
});

test('one group for each kind and what it hits; what holds for ever has no end', async () => {
  const { clock, take, revoke, stale } = await fresh();
  await revoke('s1');
  await stale('u1', 4);
  await revoke('k1', 'kid');
  await revoke('s2');
  const until = clock.time + 360_000;
  assert.deepEqual(bodyOf(await take()).marks, [
    { kind: 'revoke', by: 'kid', values: ['k1'] },
    { kind: 'revoke', by: 'sid', values: ['s1', 's2'], until: [until, until] },
    { kind: 'stale', by: 'sub', values: ['u1'], below: [4], until: [until] },
  ]);
});

test('the signature is over what it says and over these very bytes', async () => {
  const { clock, take, revoke } = await fresh();
  await revoke('s3');
  const snapshot = await take();
  const { header, said } = saidBy(snapshot);
  const { marks: _marks, position: _position, ...about } = bodyOf(snapshot) as Body & { position: string };
  const sha256 = createHash('sha256').update(snapshot.body).digest('base64url');
  assert.equal(header['typ'], 'signals+jwt');
  assert.deepEqual(said, { ...about, as_of: clock.time, max_life: 300, sha256 });
});

test('a key that has gone does not sign the snapshot that says so', async () => {
  const { keyring, take, revoke } = await fresh();
  assert.equal(saidBy(await take()).header.kid, keys[0]?.signingKey.kid);
  keyring.next = 1;
  await revoke(keys[0]!.signingKey.kid, 'kid');
  assert.equal(saidBy(await take()).header.kid, keys[1]?.signingKey.kid);
});

test('a server that has just started makes the same bytes as one that kept its marks', async () => {
  const { clock, database, create, take, revoke, stale } = await fresh();
  await stale('u0', 2);
  await take();
  for (let i = 0; i < 50; i += 1) {
    await (i % 3 === 0 ? stale(`u${i}`, i) : revoke(`s${i}`));
    clock.time += 10_000;
    if (i % 7 === 0) await take();
  }
  const kept = await take();
  assert.equal((await create()()).etag, kept.etag);
  await database.write((tx) => sweepSignals(tx, 1000));
  assert.equal((await create()()).etag, kept.etag);
});

test('many marks, and more that come meanwhile: whole up to one number, and everybody goes on in between', async () => {
  const { clock, database, take, revoke } = await fresh();
  await database.write(async (tx) => {
    await tx.run("UPDATE counters SET value = 30000 WHERE name = 'signal'");
    await tx.run(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
       INSERT INTO signals (seq, tag, at, kind, by_what, value, below, until)
       SELECT i, 'tag', 0, 'revoke', 'jti', 'token' || i, NULL, ? FROM n`,
      clock.time + 1000,
    );
  });
  let turns = 0;
  const counting = setInterval(() => {
    turns += 1;
  }, 0);
  const making = take();
  await revoke('late');
  const during = take();
  const first = await making;
  clearInterval(counting);
  assert.equal(bodyOf(first).seq, 30_000);
  assert.equal(values(first).length, 30_000);
  assert.ok(turns >= 3, `others had ${turns} turns`);
  // Whoever asked after the commit is told of it.
  assert.ok(values(await during).includes('late'));
});

test('a database that has gone back to an earlier state is not believed', async () => {
  const { database, take, revoke } = await fresh();
  await revoke('s1');
  await revoke('s2');
  await take();
  await database.write((tx) => tx.run("UPDATE counters SET value = 1 WHERE name = 'signal'"));
  await assert.rejects(take(), /gone back/);
});
