// A04: an authority that was taken away still works, because the token carries it. The administration looks at the live
// state: the moment the removal is acknowledged, nothing more is done.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';

let server: TestAuthServer;
before(async () => {
  server = await startAuthServer();
});
after(() => server.close());

let made = 0;
async function auditor() {
  const name = `auditor-${++made}`;
  await server.createRole(name, ['latchkey:audit:read', 'latchkey:roles:write']);
  const { id } = await server.createUser(name, { roles: [name] });
  const { access_token: token } = await server.adminLogin(name, userPassword);
  const read = () => server.call('GET', '/auth/admin/audit?limit=1', { token });
  assert.equal((await read()).status, 200);
  return { id, name, token, read };
}

const admin = async (method: string, path: string, body: unknown) => {
  const answer = await server.call(method, `/auth/admin${path}`, { token: server.adminToken, body });
  assert.equal(answer.status, 200, answer.text);
};

test('a role that was taken away opens nothing, whatever the token says', async () => {
  const { id, read } = await auditor();
  await admin('PUT', `/users/${id}/roles`, { roles: [] });
  const answer = await read();
  assert.deepEqual([answer.status, answer.body.error], [403, 'insufficient_scope']);
});

test('a role that lost a permission gives it no more', async () => {
  const { name, read } = await auditor();
  await admin('PATCH', `/roles/${name}`, { permissions: ['latchkey:roles:write'] });
  assert.equal((await read()).status, 403);
});

test('a disabled account opens nothing', async () => {
  const { id, read } = await auditor();
  await admin('PATCH', `/users/${id}`, { disabled: true });
  const answer = await read();
  assert.deepEqual([answer.status, answer.body.reason], [401, 'revoked']);
});

test('a permission that was given later is not in the old token: it counts from the next refresh', async () => {
  const { id, name, token } = await auditor();
  await admin('PATCH', `/roles/${name}`, {
    permissions: ['latchkey:audit:read', 'latchkey:roles:write', 'latchkey:users:read'],
  });
  const read = (bearer: string) => server.call('GET', `/auth/admin/users/${id}`, { token: bearer });
  assert.equal((await read(token)).status, 403);
  assert.equal((await read((await server.adminLogin(name, userPassword)).access_token)).status, 200);
});

test('changes in flight while their author is demoted: none happens after the demotion', async () => {
  const name = 'recruiter';
  await server.createRole(name, ['latchkey:users:write']);
  const { id } = await server.createUser(name, { roles: [name] });
  const { access_token: token } = await server.adminLogin(name, userPassword);
  // All are let in at once; then each waits for its password to be hashed, two at a time.
  const changes = Array.from({ length: 24 }, (_, n) =>
    server.call('POST', '/auth/admin/users', {
      token,
      body: { username: `in-flight-${n}`, password: userPassword },
    }),
  );
  await Promise.any(changes);
  await admin('PUT', `/users/${id}/roles`, { roles: [] });
  const demotion = (await rowsOfActor(server.admin.id)).find(({ target }) => target === id);
  const statuses = (await Promise.all(changes)).map((answer) => answer.status);
  assert.ok(statuses.includes(201) && statuses.includes(403), statuses.join());
  assert.ok(statuses.every((status) => status === 201 || status === 403));
  const done = await rowsOfActor(id, 'user.create');
  assert.equal(done.length, statuses.filter((status) => status === 201).length);
  assert.ok(done.every((row) => row.at <= (demotion?.at ?? '')));
});

async function rowsOfActor(actor: string, action = 'user.roles') {
  const path = `/auth/admin/audit?limit=100&actor=${actor}&action=${action}`;
  return (await server.call('GET', path, { token: server.adminToken })).body.items;
}
