// L03: one address tries many accounts, many addresses try one account. Each way has its own counter, and a /64 of IPv6 is
// one address. A refused attempt counts nowhere, so that one address alone cannot use up what an account may take.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAuthServer, type TestAuthServer } from '../support/auth_server.ts';

let server: TestAuthServer;
before(async () => {
  server = await startAuthServer({
    limits: { attemptsPerAccountAndAddress: 3, attemptsPerAddress: 6, attemptsPerAccount: 9 },
  });
});
after(() => server.close());

const wrong = 'a wrong but long password';
const guess = async (username: string, address: string) =>
  (
    await server.call('POST', '/auth/login', {
      body: { username, password: wrong },
      headers: { 'x-forwarded-for': address },
    })
  ).status;

async function guesses(count: number, of: (i: number) => [string, string]): Promise<number[]> {
  const seen: number[] = [];
  for (let i = 0; i < count; i += 1) seen.push(await guess(...of(i)));
  return seen;
}

const evaluated = (statuses: readonly number[]) => statuses.filter((status) => status === 401).length;

test('one address over many accounts is stopped', async () => {
  assert.equal(evaluated(await guesses(20, (i) => [`sprayed${i}`, '192.0.2.1'])), 6);
});

test('many addresses on one account are stopped', async () => {
  assert.equal(evaluated(await guesses(20, (i) => ['targeted', `192.0.2.${100 + i}`])), 9);
});

test('a customer of a whole /64 is one address', async () => {
  const one = await guesses(20, (i) => [`sprayed-v6-${i}`, `2001:db8:1:2::${(i + 1).toString(16)}`]);
  assert.equal(evaluated(one), 6);
  assert.equal(await guess('another', '2001:db8:1:3::1'), 401);
});

test('one address that goes on and on does not use up the account for others', async () => {
  assert.equal(evaluated(await guesses(30, () => ['lone-target', '198.51.100.7'])), 3);
  assert.equal(await guess('lone-target', '198.51.100.8'), 401);
});

test('a made-up X-Forwarded-For before the real address counts for nothing', async () => {
  const one = await guesses(20, (i) => [`claimed${i}`, `10.0.0.${i}, 203.0.113.9`]);
  assert.equal(evaluated(one), 6);
});
