// L06: an attacker guesses on purpose, so that the victim is locked out. A device that has signed in before carries proof of
// it and has a counter of its own: 100 of 100 sign-ins work under attack.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';

let server: TestAuthServer;
before(async () => {
  server = await startAuthServer({
    limits: {
      attemptsPerAccountAndAddress: 3,
      attemptsPerAddress: 20,
      attemptsPerAccount: 5,
      attemptsPerDevice: 4,
    },
  });
  for (const username of ['victim', 'attacker']) await server.createUser(username);
});
after(() => server.close());

const attempt = (
  username: string,
  password: string,
  extra: object = {},
  headers: Record<string, string> = {},
) => server.call('POST', '/auth/login', { body: { username, password, ...extra }, headers });

async function exhaust(): Promise<void> {
  for (let i = 0; i < 8; i += 1)
    await attempt('victim', 'a wrong but long password', {}, { 'x-forwarded-for': `192.0.2.${i}` });
  assert.equal((await attempt('victim', userPassword, {}, { 'x-forwarded-for': '192.0.2.99' })).status, 429);
}

test('under attack, a known device signs in a hundred times of a hundred; a strange one waits', async () => {
  const { device } = await server.login('victim', userPassword);
  await exhaust();
  const results = [];
  for (let round = 0; round < 25; round += 1)
    results.push(...(await Promise.all([1, 2, 3, 4].map(() => attempt('victim', userPassword, { device })))));
  assert.equal(results.filter(({ status }) => status === 200).length, 100);
});

test('the browser proves its device by the cookie of its first sign-in', async () => {
  const browser = { 'x-latchkey': '1', 'sec-fetch-site': 'same-origin', 'x-forwarded-for': '203.0.113.1' };
  const first = await attempt('attacker', userPassword, { cookie: true }, browser);
  const cookie = first.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .find((pair) => pair?.startsWith('__Host-latchkey-device='));
  for (let i = 0; i < 8; i += 1) await attempt('attacker', 'a wrong but long password', {}, browser);
  assert.equal((await attempt('attacker', userPassword, {}, browser)).status, 429);
  assert.equal(
    (await attempt('attacker', userPassword, { cookie: true }, { ...browser, cookie: cookie ?? '' })).status,
    200,
  );
});

test('the proof is worth nothing for another account, and made up or changed it is nothing', async () => {
  const headers = { 'x-forwarded-for': '203.0.113.77' };
  const { device } = (await attempt('attacker', userPassword, {}, headers)).body;
  const changed = device.slice(0, -4) + (device.endsWith('AAAA') ? 'BBBB' : 'AAAA');
  for (const proof of [device, changed, 'lkd_', 'x', `lkd_${'A'.repeat(66)}`])
    assert.equal((await attempt('victim', userPassword, { device: proof }, headers)).status, 429);
});

test('a stolen device does not guess without end either', async () => {
  const { device } = (await attempt('attacker', userPassword, {}, { 'x-forwarded-for': '203.0.113.78' }))
    .body;
  const statuses = [];
  for (let i = 0; i < 8; i += 1)
    statuses.push((await attempt('attacker', `wrong password ${i}`, { device })).status);
  assert.deepEqual(statuses, [401, 401, 401, 401, 429, 429, 429, 429]);
});
