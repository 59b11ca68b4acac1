import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { generateKeyPair, verifyJws } from '@latchkey/core';
import type { Database } from '../storage/database.ts';
import { migrate } from '../storage/schema.ts';
import { openSqlite } from '../storage/sqlite.ts';
import { createSignalPublisher } from './publisher.ts';
import { createSnapshots, type Snapshot } from './snapshot.ts';

const directory = mkdtempSync(join(tmpdir(), 'lk-snapshot-'));
const clock = { time: 1_800_000_000_000 };
const maxLife = async () => 300;
const signals = createSignalPublisher(maxLife, () => {});
let database: Database;
const { signingKey, publicJwk } = generateKeyPair('ES256');
let take: () => Promise<Snapshot>;
before(async () => {
  database = openSqlite({ file: join(directory, 'snapshot.db'), now: () => clock.time });
  await migrate(database);
  take = createSnapshots({
    queries: database,
    signingKey: () => signingKey,
    issuer: 'i',
    epoch: 'e1',
    maxLife,
  });
});
after(async () => {
  await database.close();
  rmSync(directory, { recursive: true });
});

const revoke = (value: string) =>
  database.write((tx) => signals.mark(tx, { kind: 'revoke', by: 'sid', value }));
const values = ({ body }: Snapshot) =>
  (JSON.parse(body) as { marks: { value: string }[] }).marks.map(({ value }) => value);

test('made once in a second, and at once again when there is something new', async () => {
  const first = await take();
  clock.time += 100;
  assert.equal(await take(), first);
  await revoke('s1');
  const second = await take();
  assert.notEqual(second.etag, first.etag);
  assert.deepEqual(values(second), ['s1']);
  clock.time += 1000;
  assert.ok(JSON.parse((await take()).body).as_of > JSON.parse(second.body).as_of);
});

test('marks leave when their time is over', async () => {
  await revoke('s2');
  clock.time += 359_000;
  assert.ok(values(await take()).includes('s2'));
  clock.time += 2000;
  assert.deepEqual(values(await take()), []);
});

test('the signature is over what it says and over these very bytes', async () => {
  await revoke('s3');
  const { body, signature } = await take();
  const jwks = { keys: [publicJwk] };
  const { payload } = verifyJws(signature, jwks, { algorithms: ['ES256'] });
  const said = JSON.parse(Buffer.from(payload).toString());
  const { marks: _marks, position: _position, ...about } = JSON.parse(body);
  assert.deepEqual(said, { ...about, sha256: createHash('sha256').update(body).digest('base64url') });
});
