// What the client does with a refusal: what a new token may cure is cured once, and the rest is told as it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make, origin, password, refreshes, world } from '../test_support/world.ts';
import { memoryStorage } from './stored_session.ts';

test('stale: refreshed and repeated once, body and all, with the new roles', async () => {
  const { client } = make();
  await client.login('grey', password);
  world.minVer = 2;
  const response = await client.fetch('/api/patients/1/records', { method: 'POST', body: '{"text":"ok"}' });
  assert.deepEqual(await response.json(), { method: 'POST', body: '{"text":"ok"}' });
  assert.equal(refreshes().length, 1);
  assert.equal(client.user?.['ver'], 2);
});

test('a Request object with a body is repeated too', async () => {
  const { client } = make();
  await client.login('grey', password);
  world.minVer = 2;
  const request = new Request(`${origin}/api/x`, { method: 'POST', body: 'again' });
  assert.deepEqual(await (await client.fetch(request)).json(), { method: 'POST', body: 'again' });
});

test('a refresh that began before the roles changed is not the last word: nobody notices', async () => {
  const { client } = make();
  await client.login('grey', password);
  const held = Promise.withResolvers<void>();
  world.holdAnswers = held.promise;
  const early = client.refresh();
  while (refreshes().length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  world.minVer = 2;
  const late = client.fetch('/api/patients');
  while (!world.calls.some(({ path }) => path === '/api/patients'))
    await new Promise((resolve) => setTimeout(resolve, 1));
  held.resolve();
  assert.equal((await early)?.['ver'], 1);
  assert.equal((await late).status, 200);
  assert.deepEqual([client.user?.['ver'], refreshes().length], [2, 2]);
});

test('a service that keeps saying stale is asked three times, never in a loop', async () => {
  const { client } = make();
  await client.login('grey', password);
  world.refuseWith = 'stale';
  assert.equal((await client.fetch('/api/patients')).status, 401);
  assert.equal(world.calls.filter(({ path }) => path === '/api/patients').length, 3);
  assert.equal(refreshes().length, 2);
  for (const reason of ['expired', 'revoked']) {
    world.refuseWith = reason;
    const before = refreshes().length;
    assert.equal((await client.fetch('/api/patients')).status, 401);
    assert.equal(refreshes().length, before + 1, reason);
  }
});

test('a forged or malformed token is no reason to refresh', async () => {
  const { client } = make();
  await client.login('grey', password);
  for (const reason of ['invalid', 'malformed', 'insufficient_scope']) {
    world.refuseWith = reason;
    assert.equal((await client.fetch('/api/patients')).status, 401);
  }
  assert.equal(refreshes().length, 0);
});

test('an ended session: told why, no further refresh, the last refusal is the answer', async () => {
  const { client } = make();
  await client.login('grey', password);
  const changes: unknown[] = [];
  const stop = client.onChange(({ cause, user, reason }) => changes.push([cause, user, reason]));
  for (const session of world.sessions.values()) session.ended = 'disabled';
  assert.equal((await client.fetch('/api/patients')).status, 401);
  assert.deepEqual(changes, [['ended', undefined, 'disabled']]);
  assert.equal((await client.fetch('/api/patients')).status, 401);
  assert.equal(refreshes().length, 1);
  stop();
  await client.login('grey', password);
  assert.equal(changes.length, 1);
});

test('the token never goes to another origin', async () => {
  const { client } = make();
  await client.login('grey', password);
  const calls = world.calls.length;
  for (const address of [
    'https://evil.example/',
    `${origin.replace('127.0.0.1', 'localhost')}/api`,
    '//evil.example/x',
  ]) {
    await assert.rejects(client.fetch(address), TypeError);
    await assert.rejects(client.fetch(new Request(new URL(address, origin))), TypeError);
  }
  assert.equal(world.calls.length, calls);
});

test('a request begun by one person is not finished as another', async () => {
  const storage = memoryStorage();
  const { client } = make({ storage });
  const { client: other } = make({ storage });
  await client.login('grey', password);
  await other.login('izzie', password);
  world.refuseWith = 'stale';
  await assert.rejects(client.fetch('/api/patients'), { code: 'user_changed' });
});
