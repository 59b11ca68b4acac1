// A turn of upkeep on a real database with a moved clock: keys come and go, dead rows leave, and a step that fails holds up
// none of the others.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createMasterKey, MasterKeyError } from './keys/master_key.ts';
import { openRefreshKeyring } from './keys/refresh_keyring.ts';
import { makeRefreshToken, openRefreshToken } from './keys/refresh_token.ts';
import { openSigningKeyring } from './keys/signing_keyring.ts';
import { createSignalPublisher } from './signals/publisher.ts';
import { createTokenLife } from './signals/token_life.ts';
import { countAttempt } from './storage/attempts.ts';
import { migrate } from './storage/schema.ts';
import { insertSession } from './storage/sessions.ts';
import { openSqlite } from './storage/sqlite.ts';
import { insertUser } from './storage/users.ts';
import { closeVerifier, enterVerifier } from './storage/verifiers.ts';
import { runUpkeep } from './upkeep.ts';

const directory = mkdtempSync(join(tmpdir(), 'lk-upkeep-'));
const opened: { close(): Promise<void> }[] = [];
after(async () => {
  for (const database of opened) await database.close();
  rmSync(directory, { recursive: true });
});
const origin = { actor: 'system', ip: 'local', requestId: 'test' };
const day = 86_400_000;
let files = 0;

async function fresh(every = 30 * day) {
  const clock = { time: 1_800_000_000_000 };
  const database = openSqlite({ file: join(directory, `${files++}.db`), now: () => clock.time });
  opened.push(database);
  await migrate(database);
  const masterKey = createMasterKey(randomBytes(32));
  const tokenLife = await createTokenLife(database, 300);
  const signals = createSignalPublisher(tokenLife.longest, () => {});
  const policy = { alg: 'ES256', every } as const;
  const keyring = { database, masterKey, signals, policy, longestTokenLife: tokenLife.longest };
  const signingKeys = await openSigningKeyring(keyring, origin);
  const refreshKeys = await openRefreshKeyring(database, masterKey, { every, sessionMax: 30 * day });
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const turn = () => runUpkeep({ database, signingKeys, refreshKeys, tokenLife, origin, onError });
  const count = async (table: string) =>
    (await database.one<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))?.n;
  async function addRows(): Promise<void> {
    const user = { id: 'usr_1', username: 'ada', email: null, passwordHash: 'x', roles: [] };
    const session = {
      clientId: 'latchkey',
      audience: 'a',
      bornVer: 1,
      maxAge: 30 * day,
      ip: 'local',
      userAgent: '',
    };
    await database.write(async (tx) => {
      await insertUser(tx, user);
      for (let i = 0; i < 3; i += 1) await insertSession(tx, { id: `s${i}`, userId: user.id, ...session });
      await countAttempt(tx, 'account x', 900_000);
      await signals.mark(tx, { kind: 'revoke', by: 'sid', value: 's0' });
      await signals.mark(tx, { kind: 'revoke', by: 'kid', value: 'k0' });
    });
  }
  return { clock, database, signingKeys, refreshKeys, errors, turn, count, addRows };
}

test('dead rows leave when their time is over, and not before', async () => {
  const { clock, turn, count, addRows, errors } = await fresh();
  await addRows();
  const signals = await count('signals');
  await turn();
  assert.deepEqual(
    [await count('sessions'), await count('attempts'), await count('signals')],
    [3, 1, signals],
  );
  clock.time += 2 * day;
  await turn();
  assert.deepEqual([await count('sessions'), await count('attempts')], [3, 0]);
  assert.ok(((await count('signals')) ?? 0) < (signals ?? 0));
  clock.time += 36 * day;
  await turn();
  assert.deepEqual([await count('sessions'), await count('users')], [0, 1]);
  assert.deepEqual(errors, []);
});

test('a verifier that is gone leaves when it trusts nothing any more', async () => {
  const { clock, database, turn, count } = await fresh();
  const verifier = { clientId: 'cli_1', instance: 'instance-1', name: 'records', version: '' };
  await database.write(async (tx) => {
    await enterVerifier(tx, verifier, 'c1', 256);
    await closeVerifier(tx, verifier, 'c1');
  });
  clock.time += 300_000;
  await turn();
  assert.equal(await count('verifiers'), 1);
  clock.time += 1;
  await turn();
  assert.equal(await count('verifiers'), 0);
});

test('a mark of a key lives for ever', async () => {
  const { clock, database, turn, addRows } = await fresh();
  await addRows();
  clock.time += 400 * day;
  await turn();
  assert.notEqual(await database.one("SELECT 1 AS n FROM signals WHERE value = 'k0'"), undefined);
});

test('refresh keys rotate, and an old one opens tokens as long as a session may hold one', async () => {
  const { clock, refreshKeys, turn } = await fresh();
  const content = { sessionId: randomBytes(16).toString('base64url'), generation: 1 };
  const token = makeRefreshToken(content, refreshKeys.current);
  const first = refreshKeys.current.id;
  clock.time += 30 * day;
  await turn();
  assert.notEqual(refreshKeys.current.id, first);
  clock.time += 29 * day;
  await turn();
  assert.deepEqual(openRefreshToken(token, refreshKeys.all), content);
  clock.time += 2 * day;
  await turn();
  assert.equal(openRefreshToken(token, refreshKeys.all), undefined);
});

test('keys that rotate every hour never run out of the one-byte ids of refresh keys', async () => {
  const { clock, refreshKeys, turn, errors } = await fresh(3_600_000);
  for (let hour = 0; hour < 400; hour += 1) {
    clock.time += 3_600_000;
    await turn();
    assert.ok(refreshKeys.all.size <= 140, String(refreshKeys.all.size));
  }
  assert.deepEqual(errors, []);
});

test('a step that fails is told, and the others do their work', async () => {
  const { clock, database, turn, count, addRows, errors } = await fresh();
  await addRows();
  await database.write((tx) => tx.run("UPDATE signing_keys SET private_key = 'w1.broken'"));
  clock.time += 40 * day;
  await turn();
  assert.ok(errors.length > 0 && errors.every((error) => error instanceof MasterKeyError), String(errors));
  assert.equal(await count('sessions'), 0);
});
