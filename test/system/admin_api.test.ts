// The administration from end to end, each call once with a good and once with a bad end, and every answer judged by the
// OpenAPI document.
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, test } from 'node:test';
import {
  type CallOptions,
  startAuthServer,
  type TestAuthServer,
  userPassword,
} from '../support/auth_server.ts';
import { type AnswerJudge, createAnswerJudge, type OpenApiDocument } from '../support/openapi.ts';

let server: TestAuthServer;
let document: OpenApiDocument;
let judge: AnswerJudge;

before(async () => {
  server = await startAuthServer({ registration: true });
  document = (await server.call('GET', '/auth/openapi.json')).body as unknown as OpenApiDocument;
  judge = createAnswerJudge(document);
});
after(() => server.close());

/** Calls, has the answer judged, and expects the status. */
async function call(status: number, method: string, path: string, options: CallOptions = {}) {
  const answer = await server.call(method, path, options);
  judge.check(method, path, answer);
  assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
  return answer.body;
}

const admin = (status: number, method: string, path: string, body?: unknown) =>
  call(status, method, `/auth/admin${path}`, {
    token: server.adminToken,
    ...(body === undefined ? {} : { body }),
  });

const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});

test('users: made, found, changed, removed', async () => {
  await admin(201, 'POST', '/roles', { name: 'nurse', permissions: ['records:read'] });
  const made = await admin(201, 'POST', '/users', {
    username: 'Ada',
    password: userPassword,
    email: 'Ada@Example.org',
    roles: ['nurse'],
  });
  assert.equal(made.username, 'ada');
  assert.equal(made.email, 'ada@example.org');
  assert.deepEqual(await admin(200, 'GET', `/users/${made.id}`), made);
  await admin(409, 'POST', '/users', { username: 'ADA', password: userPassword });
  await admin(400, 'POST', '/users', { username: 'a b', password: userPassword });
  await admin(400, 'POST', '/users', { username: 'bea', password: 'short' });
  await admin(400, 'POST', '/users', { username: 'bea', password: userPassword, roles: ['ghost'] });
  assert.equal((await admin(200, 'PATCH', `/users/${made.id}`, { username: 'ada2' })).username, 'ada2');
  assert.equal((await admin(200, 'PATCH', `/users/${made.id}`, { email: null })).email, undefined);
  await admin(409, 'PATCH', `/users/${made.id}`, { username: 'admin' });
  assert.deepEqual((await admin(200, 'PUT', `/users/${made.id}/roles`, { roles: [] })).roles, []);
  await admin(400, 'PUT', `/users/${made.id}/roles`, { roles: ['ghost'] });
  await admin(204, 'DELETE', `/users/${made.id}`);
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['PATCH', '', {}],
    ['DELETE', '', undefined],
    ['PUT', '/roles', { roles: [] }],
    ['PUT', '/password', { password: userPassword }],
    ['GET', '/sessions', undefined],
    ['DELETE', '/sessions', undefined],
  ] as const)
    await admin(404, method, `/users/${made.id}${path}`, body);
});

test('lists come in pages that miss nothing and repeat nothing', async () => {
  for (const name of ['page-a', 'page-b', 'page-c', 'page-d', 'page-e']) await server.createUser(name);
  const seen: string[] = [];
  for (let after = ''; ; ) {
    const next = await admin(200, 'GET', `/users?limit=2&query=Page-${after && `&after=${after}`}`);
    assert.ok(next.items.length <= 2);
    seen.push(...next.items.map((user) => user.username));
    if (next.next === undefined) break;
    after = next.next;
  }
  assert.deepEqual(seen, ['page-a', 'page-b', 'page-c', 'page-d', 'page-e']);
  for (const limit of ['0', '101', 'x', '1e1', '-1']) await admin(400, 'GET', `/users?limit=${limit}`);
  await admin(400, 'GET', '/users?unknown=1');
});

test('disabling ends sessions at once; enabling does not bring them back', async () => {
  const user = await server.createUser('dora');
  const tokens = await server.login('dora', userPassword);
  await admin(200, 'PATCH', `/users/${user.id}`, { disabled: true });
  assert.equal((await call(401, 'GET', '/auth/me', { token: tokens.access_token })).reason, 'revoked');
  assert.equal((await server.refresh(tokens.refresh_token)).body.reason, 'disabled');
  const login = { body: { username: 'dora', password: userPassword } };
  await call(401, 'POST', '/auth/login', login);
  await admin(200, 'PATCH', `/users/${user.id}`, { disabled: false });
  assert.equal((await server.refresh(tokens.refresh_token)).status, 400);
  await call(401, 'GET', '/auth/me', { token: tokens.access_token });
  await call(200, 'POST', '/auth/login', login);
});

test('an administrator’s new password ends every session of the user', async () => {
  const user = await server.createUser('edda');
  const tokens = await server.login('edda', userPassword);
  await admin(204, 'PUT', `/users/${user.id}/password`, { password: 'meadow larks at seven' });
  await call(401, 'GET', '/auth/me', { token: tokens.access_token });
  await call(401, 'POST', '/auth/login', { body: { username: 'edda', password: userPassword } });
  await server.login('edda', 'meadow larks at seven');
});

test('every change that running tokens must learn of leaves exactly its mark', async () => {
  const user = await server.createUser('fay');
  await admin(201, 'POST', '/roles', { name: 'mover', permissions: ['a:read', 'b:read'] });
  const marks = async () =>
    (
      (await server.call('GET', '/auth/signals/snapshot')).body as unknown as {
        marks: { kind: string; by: string; values: string[]; below?: number[] }[];
      }
    ).marks.flatMap(({ kind, by, values, below }) =>
      values.map((value, i) => [kind, by, value, ...(below === undefined ? [] : [below[i]])]),
    );
  const newMarks = async (work: () => Promise<unknown>) => {
    const known = new Set((await marks()).map(String));
    await work();
    return (await marks()).filter((mark) => !known.has(String(mark)));
  };
  const user$ = `/users/${user.id}`;
  assert.deepEqual(await newMarks(() => admin(200, 'PUT', `${user$}/roles`, { roles: ['mover'] })), [
    ['stale', 'sub', user.id, 2],
  ]);
  assert.deepEqual(await newMarks(() => admin(200, 'PUT', `${user$}/roles`, { roles: ['mover'] })), []);
  assert.deepEqual(await newMarks(() => admin(200, 'PATCH', user$, { username: 'fay2' })), [
    ['stale', 'sub', user.id, 3],
  ]);
  assert.deepEqual(await newMarks(() => admin(200, 'PATCH', user$, { email: 'fay@example.org' })), []);
  assert.deepEqual(await newMarks(() => admin(200, 'PATCH', user$, { disabled: true })), [
    ['revoke', 'sub', user.id, 4],
  ]);
  assert.deepEqual(await newMarks(() => admin(200, 'PATCH', user$, { disabled: false })), []);
  const gained = { permissions: ['a:read', 'b:read', 'c:read'] };
  assert.deepEqual(await newMarks(() => admin(200, 'PATCH', '/roles/mover', gained)), []);
  const [asked] = await newMarks(() => admin(200, 'PATCH', '/roles/mover?refresh=true', gained));
  assert.deepEqual(asked?.slice(0, 3), ['stale', 'role', 'mover']);
  const [lost] = await newMarks(() => admin(200, 'PATCH', '/roles/mover', { permissions: ['c:read'] }));
  assert.deepEqual(lost, ['stale', 'role', 'mover', Number(asked?.[3]) + 1]);
  const [gone] = await newMarks(() => admin(204, 'DELETE', '/roles/mover'));
  assert.deepEqual(gone, ['stale', 'role', 'mover', Number(lost?.[3]) + 1]);
  assert.deepEqual(await newMarks(() => admin(204, 'DELETE', user$)), [['revoke', 'sub', user.id, 5]]);
});

test('roles', async () => {
  await admin(201, 'POST', '/roles', { name: 'Clerk', permissions: ['x:read', 'a:read'], description: 'd' });
  assert.deepEqual(await admin(200, 'GET', '/roles/clerk'), {
    name: 'clerk',
    permissions: ['a:read', 'x:read'],
    description: 'd',
  });
  await admin(409, 'POST', '/roles', { name: 'clerk', permissions: [] });
  await admin(400, 'POST', '/roles', { name: 'other', permissions: ['no spaces'] });
  await admin(400, 'POST', '/roles', { name: 'other', permissions: ['latchkey:unheard:of'] });
  assert.equal((await admin(200, 'PATCH', '/roles/clerk', { description: null })).description, undefined);
  const names = (await admin(200, 'GET', '/roles')).items.map((role) => role.name);
  assert.ok(names.includes('clerk') && names.includes('administrator'));
  await admin(204, 'DELETE', '/roles/clerk');
  await admin(404, 'GET', '/roles/clerk');
  await admin(404, 'PATCH', '/roles/clerk', {});
  await admin(404, 'DELETE', '/roles/clerk');
});

test('nobody is given more permissions than a token can carry, neither by roles nor by roles that grow', async () => {
  const wide = (area: string) => Array.from({ length: 100 }, (_, n) => `${area}-${n}:write`);
  await admin(400, 'POST', '/roles', {
    name: 'too-wide',
    permissions: [...wide('here-and-now'), ...wide('there')],
  });
  for (const name of ['wide-1', 'wide-2', 'wide-3'])
    await admin(201, 'POST', '/roles', { name, permissions: wide(name) });
  const all = { roles: ['wide-1', 'wide-2', 'wide-3'] };
  const { id } = await server.createUser('max', { roles: ['wide-1'] });
  await admin(400, 'PUT', `/users/${id}/roles`, all);
  for (const name of ['wide-2', 'wide-3']) await admin(200, 'PATCH', `/roles/${name}`, { permissions: [] });
  await admin(200, 'PUT', `/users/${id}/roles`, all);
  const refused = await admin(400, 'PATCH', '/roles/wide-2', { permissions: wide('wide-2') });
  assert.match(refused.error_description, /than a token can carry/);
  await server.login('max', userPassword);
});

test('sessions and single tokens', async () => {
  const user = await server.createUser('gil');
  const [one, two] = [await server.login('gil', userPassword), await server.login('gil', userPassword)];
  const listed = await admin(200, 'GET', `/users/${user.id}/sessions`);
  assert.deepEqual(
    listed.items.map((session) => session.id),
    [two.session_id, one.session_id],
  );
  assert.deepEqual(await admin(200, 'GET', `/sessions?user_id=${user.id}`), listed);
  const all: string[] = [];
  for (let page = await admin(200, 'GET', '/sessions?limit=1'); ; ) {
    all.push(...page.items.map((session) => session.id));
    if (page.next === undefined) break;
    page = await admin(200, 'GET', `/sessions?limit=1&after=${page.next}`);
  }
  assert.equal(new Set(all).size, all.length);
  assert.ok(all.includes(one.session_id) && all.includes(two.session_id));
  await admin(204, 'DELETE', `/sessions/${one.session_id}`);
  await admin(404, 'DELETE', `/sessions/${one.session_id}`);
  await call(401, 'GET', '/auth/me', { token: one.access_token });
  const { jti } = JSON.parse(Buffer.from(two.access_token.split('.')[1] ?? '', 'base64url').toString());
  await admin(204, 'DELETE', `/tokens/${jti}`);
  await call(401, 'GET', '/auth/me', { token: two.access_token });
  const refreshed = await server.refresh(two.refresh_token);
  await call(200, 'GET', '/auth/me', { token: refreshed.body.access_token });
  await admin(400, 'DELETE', '/tokens/short');
  await admin(204, 'DELETE', `/users/${user.id}/sessions`);
  await call(401, 'GET', '/auth/me', { token: refreshed.body.access_token });
});

test('clients introspect and revoke within their scopes', async () => {
  const client = await admin(201, 'POST', '/clients', { name: 'Back end', scopes: ['introspection'] });
  assert.match(client.secret, /^cls_[A-Za-z0-9_-]{43}$/);
  const headers = basic(client.id, client.secret);
  const listed = await admin(200, 'GET', '/clients');
  assert.ok(!JSON.stringify(listed).includes(client.secret));
  await admin(400, 'POST', '/clients', { name: 'x', audiences: [server.issuer] });

  await server.createUser('hana');
  const theirs = await server.login('hana', userPassword);
  const mine = await call(200, 'POST', '/auth/login', {
    headers,
    body: { username: 'hana', password: userPassword, client_id: client.id },
  });
  const introspect = (token: string) =>
    call(200, 'POST', '/auth/introspect', { headers, form: { token, unknown: 'ignored' } });
  const live = await introspect(theirs.access_token);
  assert.equal(live.active, true);
  assert.equal(live.username, 'hana');
  for (const dead of [theirs.refresh_token, server.adminToken, 'nonsense', `${theirs.access_token}x`])
    assert.deepEqual(await introspect(dead), { active: false });

  const revoke = (status: number, token: string) =>
    call(status, 'POST', '/auth/revoke', { headers, form: { token, token_type_hint: 'whatever' } });
  assert.equal((await revoke(400, theirs.access_token)).error, 'invalid_grant');
  assert.equal((await revoke(400, theirs.refresh_token)).error, 'invalid_grant');
  await revoke(200, 'nonsense');
  await revoke(200, mine.access_token);
  assert.deepEqual(await introspect(mine.access_token), { active: false });
  await revoke(200, mine.refresh_token);
  assert.equal((await introspect(theirs.access_token)).active, true);
  for (const endpoint of ['/auth/revoke', '/auth/introspect']) {
    await call(400, 'POST', endpoint, { headers, form: 'token=a&token=b' });
    await call(400, 'POST', endpoint, { headers, form: {} });
    await call(401, 'POST', endpoint, { headers: basic(client.id, 'wrong'), form: { token: 'a' } });
    await call(401, 'POST', endpoint, { form: { token: 'a' } });
    await call(415, 'POST', endpoint, { headers, body: { token: 'a' } });
  }
  const plain = await admin(201, 'POST', '/clients', { name: 'Plain' });
  const form = { token: theirs.access_token };
  await call(403, 'POST', '/auth/introspect', { headers: basic(plain.id, plain.secret), form });

  const second = await call(200, 'POST', '/auth/login', {
    headers,
    body: { username: 'hana', password: userPassword },
  });
  await admin(204, 'DELETE', `/clients/${client.id}`);
  await admin(404, 'DELETE', `/clients/${client.id}`);
  await call(401, 'GET', '/auth/me', { token: second.access_token });
  await call(401, 'POST', '/auth/introspect', { headers, form });
});

test('introspection follows the roles: a token that says what is no longer so is not active', async () => {
  const client = await admin(201, 'POST', '/clients', { name: 'Gate', scopes: ['introspection'] });
  await admin(201, 'POST', '/roles', { name: 'warden', permissions: ['gate:open', 'gate:read'] });
  const user = await server.createUser('ivy', { roles: ['warden'] });
  const isActive = async ({ access_token: token }: { access_token: string }) => {
    const headers = basic(client.id, client.secret);
    return (await call(200, 'POST', '/auth/introspect', { headers, form: { token } })).active;
  };
  const first = await server.login('ivy', userPassword);
  assert.equal(await isActive(first), true);
  await admin(200, 'PATCH', '/roles/warden', { permissions: ['gate:read'] });
  assert.equal(await isActive(first), false);
  const second = await server.login('ivy', userPassword);
  assert.equal(await isActive(second), true);
  await admin(200, 'PUT', `/users/${user.id}/roles`, { roles: [] });
  assert.equal(await isActive(second), false);
});

test('receivers of security events: registered, changed, shown, polled by, removed', async () => {
  const made = await admin(201, 'POST', '/clients', { name: 'partner' });
  const poll = { client_id: made.id, delivery: { method: 'urn:ietf:rfc:8936' } };
  await admin(404, 'GET', `/receivers/${made.id}`);
  await admin(404, 'POST', '/receivers', { ...poll, client_id: 'cli_unknown' });
  await admin(400, 'POST', '/receivers', { ...poll, events_requested: ['https://example.com/other'] });
  await admin(400, 'POST', '/receivers', { ...poll, delivery: { method: 'urn:ietf:rfc:8935' } });
  const endpoint = { method: 'urn:ietf:rfc:8936', endpoint_url: 'https://example.com/' };
  await admin(400, 'POST', '/receivers', { ...poll, delivery: endpoint });
  const push = { method: 'urn:ietf:rfc:8935', endpoint_url: 'https://events.example.com/in' };
  const header = { ...push, authorization_header: 'Bearer x\r\ny: z' };
  await admin(400, 'POST', '/receivers', { ...poll, delivery: header });
  await admin(201, 'POST', '/receivers', { ...poll, delivery: push });
  await admin(200, 'POST', '/receivers', poll);
  assert.equal((await admin(200, 'GET', '/receivers')).items.length, 1);
  await admin(200, 'GET', `/receivers/${made.id}`);
  const headers = basic(made.id, made.secret);
  await call(200, 'POST', '/auth/events/poll', { headers, body: { returnImmediately: true } });
  await call(400, 'POST', '/auth/events/poll', { headers, body: { maxEvents: -1 } });
  await call(400, 'POST', '/auth/events/poll', { headers, body: { ack: [1] } });
  await admin(204, 'DELETE', `/receivers/${made.id}`);
  await admin(404, 'DELETE', `/receivers/${made.id}`);
  await call(404, 'POST', '/auth/events/poll', { headers, body: {} });
});

test('registration, where it is on', async () => {
  const body = { username: 'Jon', password: userPassword, email: 'jon@example.org' };
  const made = await call(201, 'POST', '/auth/register', { body });
  assert.deepEqual([made.username, made.roles], ['jon', []]);
  const taken = await call(409, 'POST', '/auth/register', { body: { ...body, email: 'new@example.org' } });
  const takenMail = await call(409, 'POST', '/auth/register', { body: { ...body, username: 'new' } });
  assert.equal(taken.error_description, takenMail.error_description);
  await call(400, 'POST', '/auth/register', { body: { ...body, roles: ['administrator'] } });
});

test('the audit trail tells who did what, newest first', async () => {
  const user = await server.createUser('kim');
  await admin(200, 'PATCH', `/users/${user.id}`, { disabled: true });
  const rows = (await admin(200, 'GET', `/audit?target=${user.id}`)).items;
  assert.deepEqual(
    rows.map((row) => [row.actor, row.action, row.outcome]),
    [
      [server.admin.id, 'user.disable', 'success'],
      [server.admin.id, 'user.create', 'success'],
    ],
  );
  const page = await admin(200, 'GET', `/audit?actor=${server.admin.id}&limit=1`);
  const rest = await admin(200, 'GET', `/audit?actor=${server.admin.id}&limit=1&after=${page.next}`);
  assert.notEqual(page.items[0]?.id, rest.items[0]?.id);
  const made = await admin(200, 'GET', '/audit?action=user.create');
  assert.ok(made.items.every((row) => row.action === 'user.create'));
  const operator = await server.operator('PATCH', `/auth/admin/users/${user.id}`, { disabled: false });
  assert.equal(operator.status, 200);
  assert.equal((await admin(200, 'GET', `/audit?target=${user.id}`)).items[0]?.actor, 'operator');
});

test('registered verifiers: one that connects is listed, and with what it acknowledges', async () => {
  const client = await admin(201, 'POST', '/clients', { name: 'records' });
  const credential = basic(client.id, client.secret);
  const said = { instance: 'instance-1', epoch: 'another', seq: 0 };
  await call(401, 'POST', '/auth/signals/applied', { body: said });
  await call(404, 'POST', '/auth/signals/applied', { body: said, headers: credential });
  const closed = new AbortController();
  const headers = { ...credential, 'latchkey-instance': said.instance };
  await fetch(`${server.url}/auth/signals`, { headers, signal: closed.signal });
  await call(204, 'POST', '/auth/signals/applied', { body: said, headers: credential });
  await call(400, 'POST', '/auth/signals/applied', { body: { ...said, seq: -1 }, headers: credential });
  const [verifier] = (await admin(200, 'GET', '/verifiers')).items;
  assert.deepEqual([verifier?.name, verifier?.client_id], ['records', client.id]);
  const leaving = { ...said, leaving: true };
  await call(204, 'POST', '/auth/signals/applied', { body: leaving, headers: credential });
  assert.deepEqual((await admin(200, 'GET', '/verifiers')).items, []);
  closed.abort();
  await admin(204, 'DELETE', `/clients/${client.id}`);
});

test('the operator can follow the signals too: a socket has no address', async () => {
  const status = await new Promise((resolve, reject) => {
    const { socketPath } = server;
    const request = httpRequest({ socketPath, path: '/auth/signals', agent: false }, (response) => {
      resolve(response.statusCode);
      response.destroy();
    });
    request.on('error', reject).end();
  });
  assert.equal(status, 200);
});

test('a person’s own pages', async () => {
  const user = await server.createUser('lea');
  const tokens = await server.login('lea', userPassword);
  const token = tokens.access_token;
  assert.equal((await call(200, 'GET', '/auth/me', { token })).id, user.id);
  await call(200, 'PATCH', '/auth/me', { token, body: { email: 'lea@example.org' } });
  const other = await server.login('lea', userPassword);
  assert.equal((await call(200, 'GET', '/auth/me/sessions', { token })).items.length, 2);
  await call(204, 'DELETE', `/auth/me/sessions/${other.session_id}`, { token });
  const change = { current_password: userPassword, new_password: 'meadow larks at seven' };
  const renewed = await call(200, 'POST', '/auth/me/password', { token, body: change });
  const form = { grant_type: 'refresh_token', refresh_token: renewed.refresh_token };
  await call(200, 'POST', '/auth/token', { form });
  await call(204, 'POST', '/auth/logout', { body: { refresh_token: renewed.refresh_token } });
  const last = await server.login('lea', 'meadow larks at seven');
  await call(204, 'POST', '/auth/logout/all', { token: last.access_token });
});

test('discovery and documentation', async () => {
  for (const path of [
    '/auth/.well-known/jwks.json',
    '/auth/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server/auth',
    '/.well-known/ssf-configuration/auth',
    '/auth/signals/snapshot',
    '/auth/openapi.json',
    '/auth/docs',
    '/auth/docs/page.js',
    '/auth/docs/page.css',
  ])
    await call(200, 'GET', path);
  const { headers } = await server.call('GET', '/auth/docs');
  await call(304, 'GET', '/auth/docs', { headers: { 'if-none-match': headers.get('etag') ?? '' } });
});

test('signing keys rotate, and a removed one kills its tokens', async () => {
  const before = (await admin(200, 'GET', '/keys')).items;
  assert.deepEqual(
    before.map((key) => key.state),
    ['current', 'next'],
  );
  const rotated = await admin(200, 'POST', '/keys/rotate');
  assert.deepEqual([rotated.kid, rotated.state], [before[1]?.kid, 'current']);
  // Its successor was published a moment ago: some cache does not have it.
  const early = await server.call('POST', '/auth/admin/keys/rotate', { token: server.adminToken });
  judge.check('POST', '/auth/admin/keys/rotate', early);
  assert.deepEqual([early.status, early.body.reason], [409, 'too_early']);
  assert.ok(Number(early.headers.get('retry-after')) > 60);
  const { items } = await admin(200, 'GET', '/keys');
  assert.deepEqual(
    items.map((key) => key.state),
    ['previous', 'current', 'next'],
  );
  assert.notEqual((await admin(200, 'POST', '/keys/rotate', { immediately: true })).kid, rotated.kid);
  await call(200, 'GET', '/auth/me', { token: server.adminToken });
  await admin(404, 'DELETE', '/keys/unknown');
  await admin(204, 'DELETE', `/keys/${before[0]?.kid}`);
  await call(401, 'GET', '/auth/me', { token: server.adminToken });
});

test('every operation of the document has been seen to succeed here, but for the endless stream', () => {
  const all = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((verb) => `${verb.toUpperCase()} ${path}`),
  );
  const missing = all.filter((name) => !judge.succeeded.has(name));
  assert.deepEqual(missing, ['GET /auth/signals']);
});
