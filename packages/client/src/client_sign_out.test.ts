// Signing out: nothing that is under way may bring the session back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make, password, refreshes, world } from '../test_support/world.ts';
import { memoryStorage } from './stored_session.ts';

test('sign-out ends the session at the server and forgets it here', async () => {
  const storage = memoryStorage();
  const { client } = make({ storage });
  await client.login('grey', password);
  await client.logout();
  assert.deepEqual(
    [...world.sessions.values()].map(({ ended }) => ended),
    ['ended'],
  );
  assert.deepEqual(
    [client.user, client.accessToken, await storage.load()],
    [undefined, undefined, undefined],
  );
  assert.equal(await client.resume(), undefined);
});

test('a sign-out that the server did not hear can be repeated', async () => {
  const { client } = make();
  await client.login('grey', password);
  world.authDown = true;
  await assert.rejects(client.logout(), { code: 'unavailable' });
  assert.equal(client.accessToken, undefined);
  world.authDown = false;
  await client.logout();
  assert.deepEqual(
    [...world.sessions.values()].map(({ ended }) => ended),
    ['ended'],
  );
});

test('a request made while signing out does not fetch a token: its answer could bring the session back', async () => {
  const { client } = make();
  await client.login('grey', password);
  const signedOut = client.logout();
  while (client.accessToken !== undefined) await Promise.resolve();
  assert.equal((await client.fetch('/api/patients')).status, 401);
  await signedOut;
  assert.equal(client.user, undefined);
  assert.equal(refreshes().length, 0);
});

test('sign-out everywhere ends the other devices too', async () => {
  const { client: phone } = make();
  const { client: laptop } = make();
  await phone.login('grey', password);
  await laptop.login('grey', password);
  await phone.logoutAll();
  assert.equal((await laptop.fetch('/api/patients')).status, 401);
  assert.equal(laptop.user, undefined);
});
