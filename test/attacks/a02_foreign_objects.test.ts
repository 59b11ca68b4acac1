// A02: somebody reaches an object or a call that is not theirs (GHSA-4vcf-q4xf-f48m). The matrix is made from the OpenAPI
// document, so a new call is in it by itself: every protected call × every kind of caller that must not make it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type CallOptions,
  startAuthServer,
  type TestAuthServer,
  userPassword,
} from '../support/auth_server.ts';
import { accessOf, type ExampleRequest, exampleRequest, type OpenApiDocument } from '../support/openapi.ts';

let server: TestAuthServer;
let requests: (ExampleRequest & { readonly access: string })[];
let permissions: string[];

before(async () => {
  server = await startAuthServer({ registration: true });
  const document = (await server.call('GET', '/auth/openapi.json')).body as unknown as OpenApiDocument;
  requests = Object.entries(document.paths).flatMap(([path, verbs]) =>
    Object.entries(verbs).map(([verb, operation]) => ({
      ...exampleRequest(verb.toUpperCase(), path, operation, document),
      access: accessOf(operation),
    })),
  );
  permissions = [...new Set(requests.map(({ access }) => access))].filter((access) => access.includes(':'));
});
after(() => server.close());

const send = ({ method, path, options }: ExampleRequest, caller: CallOptions) =>
  server.call(method, path, { ...options, ...caller });

/** A token for the administration of somebody with exactly these permissions. */
async function holding(name: string, held: readonly string[]): Promise<string> {
  await server.createRole(name, held);
  await server.createUser(name, { roles: [name] });
  return (await server.adminLogin(name, userPassword)).access_token;
}

async function clientHeaders(): Promise<Record<string, string>> {
  const body = { name: 'matrix', scopes: ['introspection', 'revocation'] };
  const client = (await server.call('POST', '/auth/admin/clients', { token: server.adminToken, body })).body;
  return { authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}` };
}

test('no protected call answers a stranger, a caller of another kind, or a token for another audience', async () => {
  const plain = (await server.login('admin', server.admin.password)).access_token;
  const client = await clientHeaders();
  assert.ok(requests.filter(({ access }) => access !== 'public').length > 30);
  for (const request of requests.filter(({ access }) => access !== 'public')) {
    const words = `${request.method} ${request.path}`;
    assert.equal((await send(request, {})).status, 401, `${words}, nobody`);
    assert.equal((await send(request, { token: 'a.b.c' })).status, 401, `${words}, nonsense`);
    if (request.access !== 'client')
      assert.equal((await send(request, { headers: client })).status, 401, `${words}, a client`);
    // An administrator's ordinary token, as any service gets to see it.
    if (request.access !== 'user')
      assert.equal((await send(request, { token: plain })).status, 401, `${words}, an ordinary token`);
  }
});

test('each administrative call needs its own permission: all the others together do not open it', async () => {
  assert.ok(permissions.length >= 10);
  for (const [n, permission] of permissions.entries()) {
    const others = permissions.filter((other) => other !== permission).map((name) => name.slice(1, -1));
    const without = await holding(`without-${n}`, others);
    for (const request of requests.filter(({ access }) => access === permission)) {
      const answer = await send(request, { token: without });
      assert.deepEqual([answer.status, answer.body.error], [403, 'insufficient_scope'], request.path);
    }
  }
});

test('and it alone opens it', async () => {
  for (const [n, permission] of permissions.entries()) {
    const only = await holding(`only-${n}`, [permission.slice(1, -1)]);
    for (const request of requests.filter(({ access }) => access === permission)) {
      const answer = await send(request, { token: only });
      assert.ok(![401, 403].includes(answer.status), `${request.path}: ${answer.text}`);
      assert.ok(answer.status < 500, `${request.path}: ${answer.text}`);
    }
  }
});

test('one person’s session is not there for another', async () => {
  await server.createUser('olga');
  await server.createUser('pete');
  const olga = await server.login('olga', userPassword);
  const pete = await server.login('pete', userPassword);
  const path = `/auth/me/sessions/${olga.session_id}`;
  const foreign = await server.call('DELETE', path, { token: pete.access_token });
  const unknown = await server.call('DELETE', '/auth/me/sessions/AAAAAAAAAAAAAAAAAAAAAA', {
    token: pete.access_token,
  });
  assert.equal(foreign.status, 404);
  assert.equal(foreign.body.error_description, unknown.body.error_description);
  assert.equal((await server.call('GET', '/auth/me', { token: olga.access_token })).status, 200);
  const listed = await server.call('GET', '/auth/me/sessions', { token: pete.access_token });
  assert.deepEqual(
    listed.body.items.map((session) => session.id),
    [pete.session_id],
  );
});
