// L01, L02: who has an account here? Unknown names, wrong passwords and disabled accounts get the same bytes, and are limited
// alike. That they take the same time is proved in bench/proofs/l01_enumeration.ts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';

let server: TestAuthServer;
before(async () => {
  server = await startAuthServer({ limits: { attemptsPerAccountAndAddress: 3 } });
  await server.createUser('ada', { email: 'ada@example.com' });
  const eve = await server.createUser('eve');
  await server.operator('PATCH', `/auth/admin/users/${eve.id}`, { disabled: true });
});
after(() => server.close());

/** Everything of an answer but what differs between any two. */
function comparable({ status, headers, text, body }: Answer): string {
  const kept = [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
  return JSON.stringify([status, kept, text.replaceAll(body.request_id, 'ID')]);
}

const attempt = (username: string, password: string, headers: Record<string, string> = {}) =>
  server.call('POST', '/auth/login', { body: { username, password }, headers });

test('known, unknown, disabled, malformed and empty of meaning: one answer, to the byte', async () => {
  const attempts = [
    ['ada', 'a wrong but long password'],
    ['ada@example.com', 'a wrong but long password'],
    ['nobody', 'a wrong but long password'],
    ['nobody@example.com', 'a wrong but long password'],
    ['eve', userPassword],
    ['eve', 'a wrong but long password'],
    ['not a name!', 'a wrong but long password'],
    ["' OR 1=1 --", 'x'],
    ['ada', 'x'],
    ['nobody', 'x'],
    ['ada', 'x'.repeat(2000)],
    ['nobody', 'x'.repeat(2000)],
  ];
  const answers = [];
  for (const [i, [username = '', password = '']] of attempts.entries())
    answers.push(await attempt(username, password, { 'x-forwarded-for': `192.0.2.${i}` }));
  const [first, ...others] = answers.map(comparable);
  assert.match(first ?? '', /^\[401/);
  for (const other of others) assert.equal(other, first);
});

test('limits, too, tell nothing: the same attempt of the same number is refused with the same bytes', async () => {
  const answers: string[][] = [];
  for (const username of ['ada', 'ghost']) {
    const seen: string[] = [];
    for (let i = 0; i < 5; i += 1)
      seen.push(
        comparable(
          await attempt(username, 'a wrong but long password', { 'x-forwarded-for': '198.51.100.1' }),
        ),
      );
    answers.push(seen.map((text) => text.replace(/\["retry-after","\d+"\]/, '["retry-after","N"]')));
  }
  assert.deepEqual(
    answers[0]?.map((text) => text.slice(1, 4)),
    ['401', '401', '401', '429', '429'],
  );
  assert.deepEqual(answers[0], answers[1]);
});

test('the answer does not repeat what was sent', async () => {
  const { text } = await attempt('canary-name', 'canary password that is long', {
    'x-forwarded-for': '198.51.100.2',
  });
  assert.ok(!text.includes('canary'));
});
