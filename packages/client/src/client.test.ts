// Signing in and refreshing: one refresh at a time, at the drawn moment, and nothing lost when an answer is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { life, make, password, refreshes, world } from '../test_support/world.ts';
import { ClientError } from './client_error.ts';
import { memoryStorage } from './stored_session.ts';

test('a sign-in gives the claims, permissions and a bearer on every call', async () => {
  const { client } = make();
  const user = await client.login('grey', password);
  assert.equal(user.preferred_username, 'grëy');
  assert.equal(client.can('records:read'), true);
  assert.equal(client.can('records'), false);
  assert.equal((await client.fetch('/api/patients')).status, 200);
  assert.equal(world.calls.at(-1)?.headers.authorization, `Bearer ${client.accessToken}`);
});

test('a wrong password is a typed error that does not hold it', async () => {
  const { client } = make();
  await assert.rejects(client.login('grey', 'wrong-password-here'), (error) => {
    assert.ok(error instanceof ClientError);
    assert.deepEqual([error.code, error.status, error.requestId], ['invalid_credentials', 401, 'r1']);
    assert.ok(!JSON.stringify([error.message, error]).includes('wrong-password-here'));
    return true;
  });
  assert.equal(client.user, undefined);
});

test('refreshes at the drawn moment between half and nine tenths of the life, not before', async () => {
  for (const [random, share] of [
    [0, 0.5],
    [1, 0.9],
  ] as const) {
    const { client, clock } = make({ random: () => random });
    await client.login('grey', password);
    const before = refreshes().length;
    clock.now += life() * share - 1;
    await client.fetch('/api/patients');
    assert.equal(refreshes().length, before);
    clock.now += 1;
    await client.fetch('/api/patients');
    assert.equal(refreshes().length, before + 1);
  }
});

test('fifty calls at once share one refresh', async () => {
  const { client, clock } = make();
  await client.login('grey', password);
  clock.now += life();
  const answers = await Promise.all(Array.from({ length: 50 }, () => client.fetch('/api/patients')));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(refreshes().length, 1);
});

test('a lost answer is asked again with the same key and gets the same successor', async () => {
  const { client, clock } = make();
  await client.login('grey', password);
  world.loseAnswers = 1;
  clock.now += life();
  await assert.rejects(client.fetch('/api/patients'), { name: 'ClientError', code: 'unavailable' });
  assert.equal((await client.fetch('/api/patients')).status, 200);
  await client.refresh();
  const [first, second, third] = refreshes().map(({ headers }) => headers['idempotency-key']);
  assert.equal(first, second);
  assert.notEqual(second, third, 'an answered key must not be used again');
  assert.match(String(first), /^[\w-]{16,255}$/);
});

test('a program that died before the answer goes on with the saved key', async () => {
  const storage = memoryStorage();
  const { client } = make({ storage });
  await client.login('grey', password);
  world.loseAnswers = 1;
  await assert.rejects(client.refresh());
  const { client: next } = make({ storage });
  assert.equal((await next.resume())?.sub, 'grey');
});

test('while the auth server is away the token in hand is used to its end, then the error is honest', async () => {
  const { client, clock } = make();
  await client.login('grey', password);
  world.authDown = true;
  clock.now += life() * 0.8;
  for (let call = 0; call < 5; call++) assert.equal((await client.fetch('/api/patients')).status, 200);
  assert.equal(refreshes().length, 1, 'no refresh at every request');
  clock.now += life();
  await assert.rejects(client.fetch('/api/patients'), { code: 'unavailable' });
  world.authDown = false;
  assert.equal((await client.fetch('/api/patients')).status, 200, 'nobody was signed out');
});

test('cookie mode: no refresh token in script, the header of our own script, one key until answered', async () => {
  let jar = '';
  const { client } = make({
    cookie: true,
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers);
      if (jar !== '') headers.set('cookie', jar);
      const response = await fetch(input, { ...init, headers });
      jar = response.headers.getSetCookie()[0]?.split(';')[0] ?? jar;
      return response;
    },
  });
  assert.equal(await client.resume(), undefined, 'no cookie: nobody is signed in, and that is no error');
  await client.login('grey', password);
  assert.match(world.calls.at(-1)?.body ?? '', /"cookie":true/);
  world.loseAnswers = 1;
  await assert.rejects(client.refresh());
  await client.refresh();
  const [, lost, again] = refreshes();
  assert.equal(lost?.headers['idempotency-key'], again?.headers['idempotency-key']);
  assert.deepEqual([again?.body, again?.headers['x-latchkey']], ['grant_type=refresh_token', '1']);
  await client.logout();
  assert.deepEqual(
    [...world.sessions.values()].map(({ ended }) => ended),
    ['ended'],
  );
});
