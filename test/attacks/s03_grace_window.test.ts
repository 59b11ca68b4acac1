// S03: the grace time must not be a way in. Only the direct predecessor, only as long as it says, never after the session
// has ended; with grace 0 there is none.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adminPassword, startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { movedClock } from '../support/clock.ts';

const clock = movedClock();
let server: TestAuthServer;
let strict: TestAuthServer;
before(async () => {
  server = await startAuthServer({ now: clock.now });
  strict = await startAuthServer({ now: clock.now, refreshGrace: 0 });
});
after(async () => {
  await server.close();
  await strict.close();
});

async function begin(on = server): Promise<string> {
  return (await on.login('admin', adminPassword)).refresh_token;
}

async function next(token: string, on = server): Promise<string> {
  const answer = await on.refresh(token);
  assert.equal(answer.status, 200, answer.text);
  return answer.body.refresh_token;
}

const refused = async (token: string, reason: string, on = server, headers = {}) => {
  const answer = await on.refresh(token, headers);
  assert.deepEqual([answer.status, answer.body.reason], [400, reason]);
};

test('the predecessor is answered until the grace time ends, and using it does not lengthen it', async () => {
  const old = await begin();
  const successor = await next(old);
  for (const seconds of [3, 3, 3.999]) {
    clock.move(seconds);
    assert.equal(await next(old), successor);
  }
  clock.move(0.001);
  await refused(old, 'reuse');
});

test('the successor in use does not close the door on a tab that is late', async () => {
  const old = await begin();
  const successor = await next(old);
  assert.equal(await next(successor), successor);
  assert.equal(await next(old), successor);
});

test('a grandparent is theft, though its grandchild is a moment old', async () => {
  const old = await begin();
  const middle = await next(old);
  clock.move(20);
  await next(middle);
  await refused(old, 'reuse');
});

test('no grace after a sign-out', async () => {
  const old = await begin();
  const successor = await next(old);
  await server.call('POST', '/auth/logout', { body: { refresh_token: successor } });
  await refused(old, 'ended');
  await refused(successor, 'ended');
});

test('no grace after theft was seen: neither generation works, with or without a key', async () => {
  const key = { 'idempotency-key': 'the-key-of-this-rotation' };
  const old = await begin();
  const middle = await next(old);
  clock.move(20);
  const newest = (await server.refresh(middle, key)).body.refresh_token;
  await refused(old, 'reuse');
  await refused(middle, 'reuse', server, key);
  await refused(newest, 'reuse');
});

test('grace 0: every refresh advances, and the predecessor is theft at once', async () => {
  const old = await begin(strict);
  const second = await next(old, strict);
  const third = await next(second, strict);
  assert.equal(new Set([old, second, third]).size, 3);
  await refused(second, 'reuse', strict);
  await refused(third, 'reuse', strict);
});

test('grace 0: a lost answer still comes again with its key', async () => {
  const key = { 'idempotency-key': 'a-key-for-one-rotation' };
  const old = await begin(strict);
  const answers = [await strict.refresh(old, key), await strict.refresh(old, key)];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
  assert.equal(answers[0]?.body.refresh_token, answers[1]?.body.refresh_token);
});
