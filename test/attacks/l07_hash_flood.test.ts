// L07: sign-ins arrive faster than passwords can be hashed. The queue is bounded: beyond it the answer is 503 with Retry-After
// at once, everything else goes on, and nobody's attempts are used up by it. The times: bench/proofs/l07_hash_flood.ts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';

let server: TestAuthServer;
before(async () => {
  server = await startAuthServer({
    passwords: { queue: 2, iterations: 4 },
    limits: { attemptsPerAccountAndAddress: 5 },
  });
  await server.createUser('ada');
});
after(() => server.close());

const signIn = (username: string) =>
  server.call('POST', '/auth/login', { body: { username, password: userPassword } });

test('a flood: some are checked, the rest are told to come back, nobody fails otherwise', async () => {
  const session = await server.login('ada', userPassword);
  const flood = Promise.all(Array.from({ length: 60 }, (_, i) => signIn(`stranger${i}`)));
  const meanwhile = await Promise.all([
    server.refresh(session.refresh_token),
    server.call('GET', '/auth/me', { token: session.access_token }),
    server.call('GET', '/auth/.well-known/jwks.json'),
  ]);
  const answers = await flood;
  assert.deepEqual(
    meanwhile.map(({ status }) => status),
    [200, 200, 200],
  );
  const refused = answers.filter(({ status }) => status === 503);
  assert.ok(refused.length > 0 && refused.length < 60, `${refused.length} refused`);
  assert.equal(answers.filter(({ status }) => status === 401).length, 60 - refused.length);
  for (const { body, headers } of refused) {
    assert.equal(body.error, 'unavailable');
    assert.ok(Number(headers.get('retry-after')) > 0);
  }
});

test('being turned away uses up no attempt: afterwards the right password works at once', async () => {
  for (let round = 0; round < 5; round += 1) {
    const others = Array.from({ length: 30 }, (_, i) => signIn(`stranger${round}-${i}`));
    await Promise.all([...others, signIn('ada'), signIn('ada')]);
  }
  assert.equal((await signIn('ada')).status, 200);
});
