// L09: a weak, common or telling password is refused wherever one is set (ASVS 6.2.4, 6.2.11; NIST SP 800-63B-4 §3.1.1.2). That every
// fitting word of the offline list is refused: packages/server/src/passwords/common.test.ts.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { dictionary } from '@zxcvbn-ts/language-common';
import { type Answer, startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';

let server: TestAuthServer;
before(async () => {
  server = await startAuthServer({ registration: true, passwords: { minLength: 8 } });
});
after(() => server.close());

const common = (dictionary['passwords-common'] as string[]).filter((word) => word.length >= 8);
/** Every fortieth of the list: enough to see that the list is asked. */
const sample = common.filter((_, i) => i % Math.ceil(common.length / 40) === 0);
const weak = [
  ...sample,
  'Password123',
  'PASSWORD',
  'passwordpassword',
  'short',
  'aaaaaaaaaaaa',
  '12345678',
  'latchkey',
  'newcomer1',
];

function assertWeak(answer: Answer, password: string): void {
  assert.deepEqual([answer.status, answer.body.error], [400, 'weak_password'], password);
  // One of a few fixed sentences: the answer never repeats what was chosen.
  assert.match(
    answer.body.error_description,
    /^(This password is (one of the most used ones|a simple pattern)|The password (needs at least 8 characters|must not consist of your name or the name of the service))\.$/,
  );
}

test('at registration', async () => {
  for (const password of weak)
    assertWeak(
      await server.call('POST', '/auth/register', { body: { username: 'newcomer', password } }),
      password,
    );
});

test('made by an administrator', async () => {
  for (const password of weak) {
    const body = { username: 'newcomer', password };
    assertWeak(await server.call('POST', '/auth/admin/users', { token: server.adminToken, body }), password);
  }
});

test('at a change, which then changes nothing', async () => {
  await server.createUser('newcomer');
  const { access_token: token } = await server.login('newcomer', userPassword);
  for (const password of weak) {
    const body = { current_password: userPassword, new_password: password };
    assertWeak(await server.call('POST', '/auth/me/password', { token, body }), password);
  }
  await server.login('newcomer', userPassword);
});

test('for the first administrator', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lk-first-'));
  t.after(() => rmSync(dataDir, { recursive: true }));
  const started = startAuthServer({ dataDir, admin: { password: 'password12345678' } });
  await assert.rejects(
    started.then((other) => other.close()),
    /most used/,
  );
});
