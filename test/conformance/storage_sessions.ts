// The part of the storage suite that sessions and users depend on: who is alive, who advances, who races.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Database } from '../../packages/server/src/storage/database.ts';
import {
  deleteRole,
  insertRole,
  readRoleTable,
  updateRole,
} from '../../packages/server/src/storage/roles.ts';
import {
  advanceSession,
  endSession,
  endSessionsOfUser,
  insertSession,
  listSessions,
  readSessionState,
  readSubject,
  renewSession,
  sweepSessions,
} from '../../packages/server/src/storage/sessions.ts';
import {
  findCredentials,
  findUser,
  insertUser,
  replacePassword,
  replaceRoles,
  revokeBelow,
  updateUser,
} from '../../packages/server/src/storage/users.ts';
import type { OpenStorage } from './storage_suite.ts';

const hour = 3_600_000;
const idle = 10 * hour;
let names = 0;

async function addUser(database: Database, roles: readonly string[] = []): Promise<string> {
  const id = `usr_${names++}`;
  await database.write((tx) =>
    insertUser(tx, {
      id,
      username: `name${names}`,
      email: `${names}@example.com`,
      passwordHash: 'h1',
      roles,
    }),
  );
  return id;
}

async function begin(database: Database, userId: string, bornVer = 1) {
  const id = randomBytes(16).toString('base64url');
  return await database.write((tx) =>
    insertSession(tx, {
      id,
      userId,
      clientId: 'latchkey',
      audience: 'app',
      bornVer,
      maxAge: 24 * hour,
      ip: 'local',
      userAgent: '',
    }),
  );
}

const advance = (database: Database, sessionId: string, generation: number, changes = {}) =>
  database.write((tx) =>
    advanceSession(tx, {
      sessionId,
      clientId: 'latchkey',
      generation,
      idempotencyHash: null,
      minAge: 0,
      idle,
      ...changes,
    }),
  );

export function sessionSuite(storage: () => OpenStorage): void {
  advancing(storage);
  living(storage);
  versions(storage);
}

function advancing(storage: () => OpenStorage): void {
  test('fifty refreshes of one generation: one advances', async () => {
    const { database } = storage();
    const session = await begin(database, await addUser(database));
    const id = session?.sessionId ?? '';
    for (const generation of [0, 1, 2]) {
      const results = await Promise.all(Array.from({ length: 50 }, () => advance(database, id, generation)));
      assert.deepEqual(
        results.filter((subject) => subject !== undefined).map((subject) => subject.generation),
        [generation + 1],
      );
    }
  });

  test('a session advances for its own client, its own generation, and not sooner than told', async () => {
    const { database, moveClock } = storage();
    const id = (await begin(database, await addUser(database)))?.sessionId ?? '';
    assert.equal(await advance(database, id, 0, { clientId: 'cli_other' }), undefined);
    assert.equal(await advance(database, id, 1), undefined);
    assert.equal((await advance(database, id, 0, { minAge: 20_000 }))?.generation, 1);
    await moveClock(19_999);
    assert.equal(await advance(database, id, 1, { minAge: 20_000 }), undefined);
    await moveClock(1);
    assert.equal((await advance(database, id, 1, { minAge: 20_000 }))?.generation, 2);
  });

  test('a key that repeats is stored as none, and the next one is stored again', async () => {
    const { database } = storage();
    const id = (await begin(database, await addUser(database)))?.sessionId ?? '';
    const stored: unknown[] = [];
    for (const [generation, idempotencyHash] of ['k', 'k', 'k', 'other', null, 'other'].entries()) {
      await advance(database, id, generation, { idempotencyHash });
      stored.push((await readSessionState(database, id))?.idempotencyHash);
    }
    assert.deepEqual(stored, ['k', null, 'k', 'other', null, 'other']);
  });
}

function living(storage: () => OpenStorage): void {
  const isAlive = async (database: Database, id: string) =>
    (await readSubject(database, id, idle)) !== undefined && (await advance(database, id, 0)) !== undefined;

  const deaths: Readonly<
    Record<string, (database: Database, userId: string, id: string) => Promise<unknown>>
  > = {
    ended: (database, _user, id) => database.write((tx) => endSession(tx, id, 'logout')),
    'ended with all others': (database, userId) =>
      database.write((tx) => endSessionsOfUser(tx, userId, 'logout')),
    'of a disabled user': (database, userId) =>
      database.write((tx) => updateUser(tx, userId, { disabled: true })),
    'born before a revocation': (database, userId) => database.write((tx) => revokeBelow(tx, userId)),
    'of a changed password': (database, userId) =>
      database.write((tx) => replacePassword(tx, userId, 'h1', 'h2')),
    idle: async () => storage().moveClock(idle),
    'too old': async () => storage().moveClock(24 * hour),
  };
  for (const [name, kill] of Object.entries(deaths)) {
    test(`a session ${name} is not alive`, async () => {
      const { database } = storage();
      const userId = await addUser(database);
      const id = (await begin(database, userId))?.sessionId ?? '';
      assert.notEqual(await readSubject(database, id, idle), undefined);
      await kill(database, userId, id);
      assert.equal(await isAlive(database, id), false);
    });
  }

  test('a session ends once, with the first reason', async () => {
    const { database } = storage();
    const userId = await addUser(database);
    const id = (await begin(database, userId))?.sessionId ?? '';
    const ends = await Promise.all(
      ['a', 'b', 'c'].map((reason) => database.write((tx) => endSession(tx, id, reason))),
    );
    assert.deepEqual(
      ends.filter((ended) => ended !== undefined),
      [userId],
    );
    const reason = (await readSessionState(database, id))?.endedReason;
    assert.equal(await database.write((tx) => endSessionsOfUser(tx, userId, 'd')), 0);
    assert.equal((await readSessionState(database, id))?.endedReason, reason);
  });

  test('nothing begins for a user who was revoked, disabled or deleted since the password was read', async () => {
    const { database } = storage();
    const revoked = await addUser(database);
    await database.write((tx) => revokeBelow(tx, revoked));
    assert.equal(await begin(database, revoked, 1), undefined);
    assert.notEqual(await begin(database, revoked, 2), undefined);
    const disabled = await addUser(database);
    await database.write((tx) => updateUser(tx, disabled, { disabled: true }));
    assert.equal(await begin(database, disabled), undefined);
    assert.equal(await begin(database, 'usr_nobody'), undefined);
  });

  test('the session that survives a revocation is moved to the new version', async () => {
    const { database } = storage();
    const userId = await addUser(database);
    const id = (await begin(database, userId))?.sessionId ?? '';
    const subject = await database.write(async (tx) =>
      renewSession(tx, id, (await replacePassword(tx, userId, 'h1', 'h2')) ?? 0),
    );
    assert.deepEqual([subject?.generation, subject?.ver], [1, 2]);
    assert.notEqual(await readSubject(database, id, idle), undefined);
  });

  test('live sessions are listed in pages, newest first, without one twice or left out', async () => {
    const { database, moveClock } = storage();
    const userId = await addUser(database);
    const made: string[] = [];
    for (let i = 0; i < 12; i += 1) {
      made.unshift((await begin(database, userId))?.sessionId ?? '');
      if (i % 3 === 0) await moveClock(5);
    }
    await database.write((tx) => endSession(tx, made[0] ?? '', 'logout'));
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const page = await listSessions(database, userId, idle, cursor, 5);
      seen.push(...page.map(({ id }) => id));
      cursor = page.at(-1)?.id ?? '';
      if (page.length < 5) break;
    }
    assert.deepEqual([...seen].sort(), made.slice(1).sort());
  });

  test('dead sessions are swept after their time, and no living one', async () => {
    const { database, moveClock } = storage();
    const userId = await addUser(database);
    const old = (await begin(database, userId))?.sessionId ?? '';
    await moveClock(24 * hour + 1000);
    const young = (await begin(database, userId))?.sessionId ?? '';
    await database.write((tx) => sweepSessions(tx, 500, 10_000));
    assert.equal(await readSessionState(database, old), undefined);
    assert.notEqual(await readSessionState(database, young), undefined);
  });
}

function versions(storage: () => OpenStorage): void {
  test('roles and ver of a token come from one statement, in the same version', async () => {
    const { database } = storage();
    for (const name of ['doctor', 'nurse'])
      await database.write((tx) =>
        insertRole(tx, { name, permissions: [`${name}:read`], description: null }),
      );
    const userId = await addUser(database, ['nurse', 'doctor']);
    const session = await begin(database, userId);
    assert.deepEqual([session?.roles, session?.ver], [['doctor', 'nurse'], 1]);
    await database.write((tx) => replaceRoles(tx, userId, ['nurse']));
    const subject = await readSubject(database, session?.sessionId ?? '', idle);
    assert.deepEqual([subject?.roles, subject?.ver, subject?.revokedBelow], [['nurse'], 2, 1]);
  });

  test('every change of the role table raises rver, and a deleted role leaves its holders', async () => {
    const { database } = storage();
    const versions = [(await readRoleTable(database)).rver];
    await database.write((tx) => insertRole(tx, { name: 'porter', permissions: [], description: null }));
    versions.push((await readRoleTable(database)).rver);
    const userId = await addUser(database, ['porter']);
    await database.write((tx) =>
      updateRole(tx, { name: 'porter', permissions: ['doors:open'], description: 'x' }),
    );
    versions.push((await readRoleTable(database)).rver);
    await database.write((tx) => deleteRole(tx, 'porter'));
    versions.push((await readRoleTable(database)).rver);
    assert.equal(new Set(versions).size, 4);
    assert.deepEqual(
      versions,
      [...versions].sort((a, b) => a - b),
    );
    assert.deepEqual((await findUser(database, userId))?.roles, []);
  });

  test('a password is replaced once: the second, who read the same old one, comes too late', async () => {
    const { database } = storage();
    const userId = await addUser(database);
    const results = await Promise.all(
      ['h2', 'h3'].map((hash) => database.write((tx) => replacePassword(tx, userId, 'h1', hash))),
    );
    assert.deepEqual(
      results.filter((ver) => ver !== undefined),
      [2],
    );
  });

  test('a name with @ is an e-mail address and nothing else', async () => {
    const { database } = storage();
    const userId = await addUser(database);
    const user = await findUser(database, userId);
    assert.equal((await findCredentials(database, user?.email ?? ''))?.id, userId);
    assert.equal((await findCredentials(database, user?.username ?? ''))?.id, userId);
    assert.equal(await findCredentials(database, 'nobody@example.com'), undefined);
    assert.equal(await findCredentials(database, ''), undefined);
  });
}
