// A03: a lesser administrator climbs: grants what they lack, edits the role they hold, takes over or removes somebody above
// them, or the last administrator disappears (CVE-2026-14614, CVE-2026-15572).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';

let server: TestAuthServer;
/** Holds users:read, users:write and roles:write; and so neither keys, clients nor the audit trail. */
let support: string;
let supportId: string;
before(async () => {
  server = await startAuthServer();
  const held = ['latchkey:users:read', 'latchkey:users:write', 'latchkey:roles:read', 'latchkey:roles:write'];
  await server.createRole('support', held);
  await server.createRole('doctor', ['records:read']);
  supportId = (await server.createUser('sam', { roles: ['support'] })).id;
  support = (await server.adminLogin('sam', userPassword)).access_token;
});
after(() => server.close());

const asSupport = (method: string, path: string, body?: unknown) =>
  server.call(method, `/auth/admin${path}`, { token: support, ...(body === undefined ? {} : { body }) });

function notHeld(answer: Answer, words: string): void {
  assert.equal(answer.status, 403, `${words}: ${answer.text}`);
  assert.deepEqual([answer.body.error, answer.body.reason], ['access_denied', 'not_held'], words);
}

const rolesOf = async (id: string) =>
  (await server.call('GET', `/auth/admin/users/${id}`, { token: server.adminToken })).body.roles;

test('nobody grants an administrative permission that they lack, by any way there is', async () => {
  const keys = 'latchkey:keys:write';
  notHeld(await asSupport('PUT', `/users/${supportId}/roles`, { roles: ['administrator'] }), 'to oneself');
  const made = { username: 'new-admin', password: userPassword, roles: ['administrator'] };
  notHeld(await asSupport('POST', '/users', made), 'to a new user');
  notHeld(await asSupport('POST', '/roles', { name: 'stairs', permissions: [keys] }), 'in a new role');
  notHeld(
    await asSupport('PATCH', '/roles/support', { permissions: ['latchkey:users:write', keys] }),
    'in the role one holds',
  );
  // The swap: a harmless role is given first and armed afterwards.
  assert.equal((await asSupport('POST', '/roles', { name: 'harmless', permissions: ['x:y'] })).status, 201);
  const both = { roles: ['support', 'harmless'] };
  assert.equal((await asSupport('PUT', `/users/${supportId}/roles`, both)).status, 200);
  notHeld(await asSupport('PATCH', '/roles/harmless', { permissions: ['x:y', keys] }), 'armed later');
  for (const spelling of ['LATCHKEY:KEYS:WRITE', 'Latchkey:Keys:Write'])
    notHeld(await asSupport('PATCH', '/roles/harmless', { permissions: [spelling] }), spelling);
  assert.deepEqual(await rolesOf(supportId), ['harmless', 'support']);
});

test('nobody takes away an administrative permission that they lack', async () => {
  notHeld(await asSupport('PATCH', '/roles/administrator', { permissions: [] }), 'emptied');
  notHeld(await asSupport('DELETE', '/roles/administrator'), 'deleted');
});

test('nobody touches a user who holds more', async () => {
  const { id } = server.admin;
  const takeover = { password: 'meadow larks at seven' };
  notHeld(await asSupport('PUT', `/users/${id}/password`, takeover), 'password');
  notHeld(await asSupport('PATCH', `/users/${id}`, { disabled: true }), 'disable');
  notHeld(await asSupport('PATCH', `/users/${id}`, { email: 'sam@example.org' }), 'e-mail address');
  notHeld(await asSupport('PATCH', `/users/${id}`, { username: 'nobody' }), 'name');
  notHeld(await asSupport('PUT', `/users/${id}/roles`, { roles: [] }), 'roles');
  notHeld(await asSupport('DELETE', `/users/${id}`), 'delete');
  assert.equal((await server.call('GET', '/auth/me', { token: server.adminToken })).status, 200);
});

test('what they may do, they can: equals, people below, application permissions', async () => {
  const { id } = await server.createUser('tom', { roles: ['support'] });
  assert.equal((await asSupport('PATCH', `/users/${id}`, { disabled: true })).status, 200);
  assert.equal((await asSupport('PUT', `/users/${id}/roles`, { roles: ['doctor'] })).status, 200);
  const more = { permissions: ['records:read', 'records:write'] };
  assert.equal((await asSupport('PATCH', '/roles/doctor', more)).status, 200);
  assert.equal((await asSupport('DELETE', `/users/${id}`)).status, 204);
});

test('making a user with roles needs the right to give roles', async () => {
  await server.createRole('desk', ['latchkey:users:write']);
  await server.createUser('ute', { roles: ['desk'] });
  const token = (await server.adminLogin('ute', userPassword)).access_token;
  const body = { username: 'vic', password: userPassword };
  const withRoles = { ...body, roles: ['doctor'] };
  const refused = await server.call('POST', '/auth/admin/users', { token, body: withRoles });
  assert.deepEqual([refused.status, refused.body.error], [403, 'insufficient_scope']);
  assert.equal((await server.call('POST', '/auth/admin/users', { token, body })).status, 201);
});

const enabledAdministrators = async () => {
  const { items } = (await server.operator('GET', '/auth/admin/users?limit=100')).body;
  return items.filter((user) => !user.disabled && user.roles.includes('administrator'));
};

test('the last administrator cannot be removed in any way, not even by the operator', async () => {
  const path = `/auth/admin/users/${server.admin.id}`;
  const attempts = [
    ['DELETE', path, undefined],
    ['PATCH', path, { disabled: true }],
    ['PUT', `${path}/roles`, { roles: ['support'] }],
    ['DELETE', '/auth/admin/roles/administrator', undefined],
    ['PATCH', '/auth/admin/roles/administrator', { permissions: ['latchkey:users:write'] }],
  ] as const;
  for (const [method, target, body] of attempts) {
    for (const answer of [
      await server.operator(method, target, body),
      await server.call(method, target, { token: server.adminToken, ...(body && { body }) }),
    ])
      assert.deepEqual(
        [answer.status, answer.body.reason],
        [409, 'last_administrator'],
        `${method} ${target}`,
      );
  }
});

test('100 removals of all ten administrators at once leave exactly one', async () => {
  const made = await Promise.all(
    Array.from({ length: 9 }, (_, n) => server.createUser(`chief-${n}`, { roles: ['administrator'] })),
  );
  const ids = [server.admin.id, ...made.map((user) => user.id)];
  const ways = [
    (id: string) => server.operator('DELETE', `/auth/admin/users/${id}`),
    (id: string) => server.operator('PATCH', `/auth/admin/users/${id}`, { disabled: true }),
    (id: string) => server.operator('PUT', `/auth/admin/users/${id}/roles`, { roles: [] }),
  ];
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => ways[n % ways.length]?.(ids[n % ids.length] ?? '')),
  );
  assert.equal((await enabledAdministrators()).length, 1);
  const kept = answers.filter((answer) => answer?.body.reason === 'last_administrator');
  assert.ok(kept.length > 0);
});

test('administrators who demote one another in a ring leave at least one', async () => {
  const [last] = await enabledAdministrators();
  const made = await Promise.all(
    Array.from({ length: 6 }, (_, n) => server.operator('POST', '/auth/admin/users', {
      username: `ring-${n}`,
      password: userPassword,
      roles: ['administrator'],
    })),
  ); // biome-ignore format: one call
  await server.operator('PUT', `/auth/admin/users/${last?.id}/roles`, { roles: [] });
  const tokens = await Promise.all(
    made.map(async (_, n) => (await server.adminLogin(`ring-${n}`, userPassword)).access_token),
  );
  const answers = await Promise.all(
    tokens.map((token, n) => {
      const next = made[(n + 1) % made.length]?.body.id;
      return server.call('PUT', `/auth/admin/users/${next}/roles`, { token, body: { roles: [] } });
    }),
  );
  assert.ok((await enabledAdministrators()).length >= 1);
  // Whoever was demoted a moment before changed nothing any more.
  for (const answer of answers) assert.ok([200, 401, 403, 409].includes(answer.status), answer.text);
});
