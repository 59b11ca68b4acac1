// L04: parallel guesses slip past a counter that is read before it is raised (CVE-2023-47111, CVE-2024-4629). Ours is raised
// first, in one statement: never more than the limit are evaluated, whatever the parallelism.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';
import { movedClock } from '../support/clock.ts';

const clock = movedClock();
const limit = 10;
let server: TestAuthServer;
before(async () => {
  server = await startAuthServer({
    now: clock.now,
    limits: { attemptsPerAccountAndAddress: limit },
    passwords: { queue: 100 },
  });
  await server.createUser('ada');
});
after(async () => {
  await server.close();
  rmSync(server.dataDir, { recursive: true, force: true });
});

const attempt = (username: string, password: string) =>
  server.call('POST', '/auth/login', { body: { username, password } });

for (const username of ['ada', 'nobody']) {
  test(`sixty guesses at once for ${username}: ${limit} evaluated, the right password among the rest is not`, async () => {
    const guesses = Array.from({ length: 60 }, (_, i) => attempt(username, `a wrong password, number ${i}`));
    const answers = await Promise.all(guesses);
    assert.equal(answers.filter(({ status }) => status === 401).length, limit);
    const refused = answers.filter(({ status }) => status === 429);
    assert.equal(refused.length, 60 - limit);
    for (const { headers } of refused) assert.ok(Number(headers.get('retry-after')) > 0);
    assert.equal((await attempt(username, userPassword)).status, 429);
  });
}

test('the counters survive a restart', async () => {
  await server.server.close();
  server = await startAuthServer({
    now: clock.now,
    dataDir: server.dataDir,
    limits: { attemptsPerAccountAndAddress: limit },
  });
  assert.equal((await attempt('ada', userPassword)).status, 429);
});

test('when the window is over, the right password works, and gives its count back', async () => {
  clock.move(900);
  for (let i = 0; i < 2 * limit; i += 1) assert.equal((await attempt('ada', userPassword)).status, 200);
  for (let i = 0; i < limit; i += 1)
    assert.equal((await attempt('ada', 'wrong, but long enough')).status, 401);
  assert.equal((await attempt('ada', userPassword)).status, 429);
});
