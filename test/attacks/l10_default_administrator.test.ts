// L10: a default administrator, or a first-start secret that works twice. There is none: the first start takes a password or
// makes one at random and shows it once; later starts neither make nor change anybody.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type AuthServer, createAuthServer } from '@latchkey/server';
import { testIssuer } from '../support/auth_server.ts';

const parent = mkdtempSync(join(tmpdir(), 'lk-first-'));
after(() => rmSync(parent, { recursive: true, force: true }));

const start = async (name: string, admin?: { username?: string; password?: string }) => {
  const server = await createAuthServer({
    issuer: testIssuer,
    dataDir: join(parent, name),
    listen: { host: '127.0.0.1', port: 0 },
    socketPath: null,
    logLevel: 'silent',
    ...(admin === undefined ? {} : { admin }),
  });
  return { server, url: (await server.listen()).address ?? '' };
};

async function statusOf(url: string, username: string, password: string): Promise<number> {
  const answer = await fetch(`${url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  });
  return answer.status;
}

async function closing<T>(server: AuthServer, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await server.close();
  }
}

test('without a password one is made: random, shown once, stored nowhere', async () => {
  const first = await start('random');
  const made = first.server.firstAdmin;
  assert.equal(made?.username, 'admin');
  assert.match(made?.password ?? '', /^[\w-]{24}$/);
  await closing(first.server, async () =>
    assert.equal(await statusOf(first.url, 'admin', made?.password ?? ''), 200),
  );
  for (const name of readdirSync(join(parent, 'random')).filter((file) => !file.endsWith('.sock')))
    assert.ok(!readFileSync(join(parent, 'random', name)).includes(made?.password ?? ''), name);

  const second = await start('random');
  assert.equal(second.server.firstAdmin, undefined);
  await closing(second.server, async () =>
    assert.equal(await statusOf(second.url, 'admin', made?.password ?? ''), 200),
  );
  const other = await start('other');
  await closing(other.server, async () => assert.notEqual(other.server.firstAdmin?.password, made?.password));
});

test('nobody else is there: the usual pairs open nothing', async () => {
  const { server, url } = await start('usual');
  await closing(server, async () => {
    for (const username of [
      'admin',
      'administrator',
      'root',
      'latchkey',
      'test',
      'user',
      'operator',
      'system',
    ]) {
      for (const password of ['admin', 'password', username])
        assert.notEqual(await statusOf(url, username, password), 200, `${username} ${password}`);
    }
  });
});

test('the settings of the first start are not a way in later', async () => {
  const first = await start('later', { username: 'chief', password: 'the first of the passwords' });
  await closing(first.server, async () => assert.equal(first.server.firstAdmin, undefined));
  for (const admin of [
    { username: 'chief', password: 'quite another password now' },
    { username: 'second-chief', password: 'quite another password now' },
  ]) {
    const { server, url } = await start('later', admin);
    await closing(server, async () => {
      assert.equal(await statusOf(url, admin.username, admin.password), 401);
      assert.equal(await statusOf(url, 'chief', 'the first of the passwords'), 200);
    });
  }
});
