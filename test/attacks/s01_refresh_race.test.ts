// S01: many tabs, retries and lost answers present one refresh token at once. All of them get the same successor; no
// second branch exists and nobody is signed out (RFC 9700 §4.14.2, CVE-2026-1035). 1,000 × 50: bench/proofs/race.ts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adminPassword, startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { movedClock } from '../support/clock.ts';

const clock = movedClock();
let server: TestAuthServer;
before(async () => {
  server = await startAuthServer({ now: clock.now });
});
after(() => server.close());

test('fifty parallel refreshes of one token, in four sessions at once: one successor each', async () => {
  const sessions = await Promise.all(Array.from({ length: 4 }, () => server.login('admin', adminPassword)));
  let tokens = sessions.map((session) => session.refresh_token);
  for (let round = 0; round < 3; round += 1) {
    const racers = tokens.flatMap((token) => Array.from({ length: 50 }, () => server.refresh(token)));
    const answers = await Promise.all(racers);
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    const successors = tokens.map((_, i) =>
      answers.slice(50 * i, 50 * i + 50).map(({ body }) => body.refresh_token),
    );
    for (const of of successors) assert.equal(new Set(of).size, 1);
    for (const [i, [successor]] of successors.entries()) assert.notEqual(successor, tokens[i]);
    tokens = successors.map(([successor]) => successor ?? '');
    clock.move(60);
  }
});

test('each racer holds an access token of its own that works', async () => {
  const { refresh_token: token } = await server.login('admin', adminPassword);
  const answers = await Promise.all(Array.from({ length: 10 }, () => server.refresh(token)));
  const accessTokens = answers.map(({ body }) => body.access_token);
  assert.equal(new Set(accessTokens).size, 10);
  for (const accessToken of accessTokens)
    assert.equal((await server.call('GET', '/auth/me', { token: accessToken })).status, 200);
});

test('racers on both sides of the rotation: the old token and the new one agree too', async () => {
  const { refresh_token: token } = await server.login('admin', adminPassword);
  const successor = (await server.refresh(token)).body.refresh_token;
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) => server.refresh(i % 2 === 0 ? token : successor)),
  );
  assert.deepEqual(
    [...new Set(answers.map(({ status, body }) => `${status} ${body.refresh_token}`))],
    [`200 ${successor}`],
  );
});
