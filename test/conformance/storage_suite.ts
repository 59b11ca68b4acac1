// What every database engine must do for the stores to keep their promises, races included. An engine is plugged in by a
// test file that calls `storageSuite` with a way to open an empty database (see storage_sqlite.test.ts).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { countAttempt, giveBackAttempt, sweepAttempts } from '../../packages/server/src/storage/attempts.ts';
import { insertAudit, listAudit } from '../../packages/server/src/storage/audit.ts';
import { type Database, UniqueViolation } from '../../packages/server/src/storage/database.ts';
import { migrate } from '../../packages/server/src/storage/schema.ts';
import {
  insertSignal,
  readHead,
  signalsAfter,
  sweepSignals,
} from '../../packages/server/src/storage/signals.ts';
import {
  insertSigningKey,
  listSigningKeys,
  moveSigningKey,
} from '../../packages/server/src/storage/signing_keys.ts';
import { sessionSuite } from './storage_sessions.ts';
import { verifierSuite } from './storage_verifiers.ts';

export interface OpenStorage {
  readonly database: Database;
  /** Moves the database's clock, `now_ms()`. */
  readonly moveClock: (milliseconds: number) => void | Promise<void>;
  readonly close: () => Promise<void>;
}

export type OpenEmptyStorage = () => Promise<OpenStorage>;

const origin = { actor: 'system', ip: 'local', requestId: 'test' };

export function storageSuite(engine: string, open: OpenEmptyStorage): void {
  let storage: OpenStorage;
  const database = (): Database => storage.database;

  describe(`storage on ${engine}`, () => {
    before(async () => {
      storage = await open();
      await migrate(storage.database);
    });
    after(() => storage.close());

    transactions(database);
    attempts(() => storage);
    signals(() => storage);
    keysAndAudit(database);
    sessionSuite(() => storage);
    verifierSuite(() => storage);
  });
}

const countOf = async (database: Database, table: string) =>
  (await database.one<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))?.n;

function transactions(database: () => Database): void {
  const put = (name: string) => (tx: Parameters<Parameters<Database['write']>[0]>[0]) =>
    tx.run("INSERT INTO meta (name, value) VALUES (?, 'x')", name);

  test('migrating again changes nothing', async () => {
    const before = await countOf(database(), 'counters');
    await migrate(database());
    assert.equal(await countOf(database(), 'counters'), before);
  });

  test('a database of a newer version is refused and left alone', async () => {
    const version = await database().one<{ version: number }>('SELECT version FROM schema_version');
    await database().write((tx) => tx.run('UPDATE schema_version SET version = 999'));
    await assert.rejects(migrate(database()), /newer/);
    await database().write((tx) => tx.run('UPDATE schema_version SET version = ?', version?.version ?? 0));
  });

  test('what throws leaves nothing, and the error is the one that was thrown', async () => {
    const fault = new Error('ours');
    await assert.rejects(
      database().write(async (tx) => {
        await put('lost')(tx);
        throw fault;
      }),
      fault,
    );
    assert.equal(await database().one("SELECT 1 AS n FROM meta WHERE name = 'lost'"), undefined);
  });

  test('a write sees its own rows; readers see them only after the commit', async () => {
    await database().write(async (tx) => {
      await put('seen')(tx);
      assert.notEqual(await tx.one("SELECT 1 AS n FROM meta WHERE name = 'seen'"), undefined);
      assert.equal(await database().one("SELECT 1 AS n FROM meta WHERE name = 'seen'"), undefined);
    });
    assert.notEqual(await database().one("SELECT 1 AS n FROM meta WHERE name = 'seen'"), undefined);
  });

  test('a second row with one key is a UniqueViolation, and the transaction can go on', async () => {
    await database().write(put('once'));
    await assert.rejects(database().write(put('once')), UniqueViolation);
    await database().write(async (tx) => {
      await assert.rejects(put('once')(tx), UniqueViolation);
      await put('after')(tx);
    });
    assert.notEqual(await database().one("SELECT 1 AS n FROM meta WHERE name = 'after'"), undefined);
  });

  test('listeners hear of a commit once, and never of one that failed', async () => {
    const heard: string[] = [];
    await database().write(async (tx) => {
      tx.onCommit(() => heard.push('kept'));
      await put('heard')(tx);
      assert.deepEqual(heard, []);
    });
    await assert.rejects(
      database().write(async (tx) => {
        tx.onCommit(() => heard.push('lost'));
        await put('heard')(tx);
      }),
    );
    assert.deepEqual(heard, ['kept']);
  });

  test('concurrent changes of one row are all counted', async () => {
    const raise = () =>
      database().write((tx) =>
        tx.one<{ value: number }>(
          "UPDATE counters SET value = value + 1 WHERE name = 'rver' RETURNING value",
        ),
      );
    const values = await Promise.all(Array.from({ length: 100 }, raise));
    assert.equal(new Set(values.map((row) => row?.value)).size, 100);
  });

  test('numbers beyond 32 bits and any text come back as they went in', async () => {
    const text = 'Zoë 🔑 \' " \\ ; -- \n';
    const row = await database().one<{ n: number; t: string }>(
      'SELECT CAST(? AS BIGINT) AS n, CAST(? AS TEXT) AS t',
      1_800_000_000_123,
      text,
    );
    assert.deepEqual({ ...row }, { n: 1_800_000_000_123, t: text });
  });
}

function attempts(storage: () => OpenStorage): void {
  const count = (name: string) => storage().database.write((tx) => countAttempt(tx, name, 60_000));

  test('parallel attempts are counted one by one', async () => {
    const counts = await Promise.all(Array.from({ length: 60 }, () => count('parallel')));
    assert.deepEqual(
      counts.map((attempt) => attempt.count).sort((a, b) => a - b),
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
  });

  test('a window ends for good, and what is given back is never negative', async () => {
    await count('window');
    assert.equal((await count('window')).count, 2);
    await storage().moveClock(59_999);
    assert.deepEqual(await count('window'), { count: 3, resetsIn: 1 });
    await storage().moveClock(1);
    assert.deepEqual(await count('window'), { count: 1, resetsIn: 60_000 });
    for (let i = 0; i < 3; i += 1) await storage().database.write((tx) => giveBackAttempt(tx, 'window'));
    assert.equal((await count('window')).count, 1);
  });

  test('sweeping removes old counters only, some at a time', async () => {
    const { database, moveClock } = storage();
    const old = (await countOf(database, 'attempts')) ?? 0;
    await moveClock(10_000);
    await count('young');
    assert.equal(await database.write((tx) => sweepAttempts(tx, 5000, 1)), 1);
    assert.equal(await database.write((tx) => sweepAttempts(tx, 5000, 1000)), old - 1);
    assert.equal(await countOf(database, 'attempts'), 1);
  });
}

function signals(storage: () => OpenStorage): void {
  const mark = (value: string) => ({ kind: 'revoke', by: 'sid', value }) as const;

  test('signals are numbered without a gap in the order of their commits, whatever fails between', async () => {
    const { database } = storage();
    const before = (await readHead(database)).seq;
    const order: string[] = [];
    await Promise.allSettled(
      Array.from({ length: 60 }, (_, i) =>
        database.write(async (tx) => {
          await insertSignal(tx, mark(`s${i}`), 60_000);
          if (i % 4 === 1) throw new Error('rolled back');
          tx.onCommit(() => order.push(`s${i}`));
        }),
      ),
    );
    const rows = await signalsAfter(database, before, 1000);
    assert.deepEqual(
      rows.map(({ seq }) => seq),
      Array.from({ length: 45 }, (_, i) => before + 1 + i),
    );
    assert.deepEqual(
      rows.map(({ value }) => value),
      order,
    );
  });

  test('the head is the last signal, with its tag', async () => {
    const head = await readHead(storage().database);
    const [last] = await signalsAfter(storage().database, head.seq - 1, 10);
    assert.deepEqual([head.seq, head.tag], [last?.seq, last?.tag]);
  });

  test('sweeping keeps what is alive, what lives for ever, and the head', async () => {
    const { database, moveClock } = storage();
    await database.write((tx) => insertSignal(tx, { kind: 'revoke', by: 'kid', value: 'k1' }, null));
    await database.write((tx) => insertSignal(tx, mark('alive'), 600_000));
    await database.write((tx) => insertSignal(tx, mark('head'), 1));
    await moveClock(120_000);
    await database.write((tx) => sweepSignals(tx, 10_000));
    const left = await signalsAfter(database, 0, 1000);
    assert.deepEqual(
      left.map(({ value }) => value),
      ['k1', 'alive', 'head'],
    );
  });
}

function keysAndAudit(database: () => Database): void {
  const key = (kid: string, state: 'next' | 'current', alg = 'ES256') => ({
    ...{ kid, alg, state, publicJwk: '{}', privateKey: 'w1.x' },
    ...{ createdAt: 1, activatesAt: 2, retiresAt: null },
  });

  test('one current and one next key per algorithm, whatever races', async () => {
    const insert = (kid: string, state: 'next' | 'current', alg?: string) =>
      database().write((tx) => insertSigningKey(tx, key(kid, state, alg)));
    for (const state of ['current', 'next'] as const) {
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, (_, i) => insert(`${state}${i}`, state)),
      );
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const result of results)
        if (result.status === 'rejected') assert.ok(result.reason instanceof UniqueViolation);
    }
    await insert('other', 'current', 'EdDSA');
  });

  test('a key moves only from the state it is thought to be in', async () => {
    const current = (await listSigningKeys(database())).keys.find(
      (row) => row.state === 'current' && row.alg === 'ES256',
    );
    const kid = current?.kid ?? '';
    assert.equal(await database().write((tx) => moveSigningKey(tx, kid, 'next', 'previous', 1)), false);
    assert.equal(await database().write((tx) => moveSigningKey(tx, kid, 'current', 'previous', 1)), true);
    assert.equal(await database().write((tx) => moveSigningKey(tx, kid, 'current', 'previous', 1)), false);
  });

  test('the audit trail is read in pages, newest first, without a row twice or left out', async () => {
    for (let i = 0; i < 25; i += 1)
      await database().write((tx) =>
        insertAudit(tx, origin, { action: `test.${i % 2}`, target: `t${i}`, outcome: 'success' }),
      );
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const rows = await listAudit(database(), {}, cursor, 7);
      seen.push(...rows.map(({ id }) => id));
      cursor = rows.at(-1)?.id ?? '';
      if (rows.length < 7) break;
    }
    assert.equal(new Set(seen).size, 25);
    assert.deepEqual(seen, [...seen].sort().reverse());
    const odd = await listAudit(database(), { action: 'test.1' }, '', 100);
    assert.deepEqual([odd.length, odd[0]?.requestId], [12, 'test']);
  });
}
