// A01: a body that carries more than the call takes (`role`, `isAdmin`, `__proto__`, a nested or repeated key, a query) sets what
// its sender may not (CVE-2025-61928, CVE-2026-27946). 1,000 seeded bodies: every one with a stranger in it is 400, and the
// database differs in the allowed fields only.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';
import { rowsOf } from '../support/database_file.ts';
import { type Random, seededRandom } from '../support/random.ts';

let server: TestAuthServer;
let token: string;
let userId: string;
before(async () => {
  server = await startAuthServer({ registration: true });
  userId = (await server.createUser('mallory')).id;
  token = (await server.login('mallory', userPassword)).access_token;
});
after(() => server.close());

const strangers =
  'role roles isAdmin is_admin admin emailVerified email_verified id _id sub user_id tenant permissions scope ver revoked_below disabled password_hash passwordHash created_at __proto__ constructor prototype user data $set email[] roles.0 Email EMAIL client_id'.split(
    ' ',
  );
const values = [
  '"administrator"', '["administrator"]', 'true', '1', 'null', '{}', `{"roles":["administrator"]}`, '[]',
  '"usr_AAAAAAAAAAAAAAAAAAAAAA"', '{"$ne":null}', '{"__proto__":{"roles":["administrator"]}}',
]; // biome-ignore format: one table

/** A body with at least one thing in it that the call does not take, as text: keys may stand in it twice. */
function hostileBody(honest: Readonly<Record<string, string>>, random: Random): string {
  const members = Object.entries(honest).map(([name, value]) => [name, JSON.stringify(value)]);
  const kind = random.integer(4);
  const stranger = () => [random.pick(strangers), random.pick(values)];
  if (kind === 0) members.push(stranger());
  if (kind === 1) members.splice(random.integer(members.length + 1), 0, stranger(), stranger());
  // The same key a second time, with a value of its own or somebody else's.
  if (kind === 2) members.push(members[random.integer(members.length)] ?? stranger());
  const text = `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
  return kind === 3 ? random.pick([`[${text}]`, `{"data":${text}}`, `{"user":${text}}`]) : text;
}

/** Everything that says who may do what; the trail of sign-ins and attempts left out. */
function snapshot(): unknown {
  return ['users', 'roles', 'user_roles', 'clients', 'signing_keys', 'counters', 'signals'].map((table) =>
    rowsOf(server.dataDir, `SELECT * FROM ${table} ORDER BY 1, 2`),
  );
}

function refused(answer: Answer, words: string): void {
  assert.equal(answer.status, 400, `${words}: ${answer.text}`);
  assert.equal(answer.body.error, 'invalid_request', words);
}

test('1,000 bodies with more than the call takes change nothing at all', async () => {
  const random = seededRandom(0xa01);
  const before = snapshot();
  const calls = [
    { method: 'PATCH', path: '/auth/me', honest: { email: 'mallory@example.org' } },
    {
      method: 'POST',
      path: '/auth/register',
      honest: { username: 'mallory2', password: userPassword, email: 'm2@example.org' },
    },
    {
      method: 'POST',
      path: '/auth/me/password',
      honest: { current_password: userPassword, new_password: 'meadow larks at seven' },
    },
    { method: 'POST', path: '/auth/login', honest: { username: 'mallory', password: userPassword } },
  ] as const;
  for (let round = 0; round < 250; round++) {
    await Promise.all(
      calls.map(async ({ method, path, honest }) => {
        const body = hostileBody(honest, random);
        refused(await server.call(method, path, { token, body }), `${method} ${path} ${body}`);
      }),
    );
  }
  assert.deepEqual(snapshot(), before);
});

test('members in the query, in a form or beside the body are refused too', async () => {
  const before = snapshot();
  const body = { email: 'mallory@example.org' };
  for (const query of ['roles=administrator', 'disabled=false', '__proto__[x]=1', 'email=a@b.c'])
    refused(await server.call('PATCH', `/auth/me?${query}`, { token, body }), query);
  const form = await server.call('PATCH', '/auth/me', {
    token,
    form: 'email=a@example.org&roles=administrator',
  });
  assert.equal(form.status, 415);
  assert.deepEqual(snapshot(), before);
});

test('an honest change touches its field and nothing else', async () => {
  const row = () => rowsOf(server.dataDir, 'SELECT * FROM users WHERE id = ?', userId)[0];
  const before = row();
  const body = { email: 'mallory@example.org' };
  assert.equal((await server.call('PATCH', '/auth/me', { token, body })).status, 200);
  assert.deepEqual({ ...row() }, { ...before, email: 'mallory@example.org' });
});

test('somebody who registers has the name, the address and no role', async () => {
  const body = { username: 'norbert', password: userPassword, email: 'norbert@example.org' };
  const { id } = (await server.call('POST', '/auth/register', { body })).body;
  const row = rowsOf(server.dataDir, 'SELECT username, email, ver, disabled FROM users WHERE id = ?', id)[0];
  assert.deepEqual({ ...row }, { username: 'norbert', email: 'norbert@example.org', ver: 1, disabled: 0 });
  assert.deepEqual(rowsOf(server.dataDir, 'SELECT role FROM user_roles WHERE user_id = ?', id), []);
});
