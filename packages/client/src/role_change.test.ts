// Stale, not dead, with nothing in place of anything: the real auth server, a service with a real verifier, and roles that
// are taken away and given again while a page works.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { requireToken } from '@latchkey/core/http';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { type AuthServer, createAuthServer } from '@latchkey/server';
import { type Client, createClient } from './client.ts';

const password = 'plenty of sample words';
const dataDir = mkdtempSync(join(tmpdir(), 'latchkey-client-'));
let auth: AuthServer;
let origin: string;
let verifier: Verifier;
let service: ReturnType<typeof createServer>;
let api: string;
let operator: Client;
let userId: string;

before(async () => {
  // The issuer's name holds the port, so a port is found first.
  service = createServer();
  await listening();
  origin = api;
  await new Promise((resolve) => service.close(resolve));
  const issuer = `${origin}/auth`;
  const listen = { host: '127.0.0.1', port: Number(new URL(origin).port) };
  const admin = { username: 'admin', password };
  auth = await createAuthServer({ issuer, dataDir, listen, admin, logLevel: 'silent' });
  await auth.listen();
  verifier = createVerifier({ issuer, audience: origin });
  await verifier.ready();
  service = createServer(guarded(verifier));
  await listening();
  operator = createClient({ baseUrl: origin, audience: issuer });
  await operator.login('admin', password);
  await send('POST', '/auth/admin/roles', { name: 'writer', permissions: ['notes:write'] });
  userId = (await send('POST', '/auth/admin/users', { username: 'ada', password, roles: ['writer'] })).id;
});
after(async () => {
  verifier.close();
  service.closeAllConnections();
  service.close();
  await auth.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function listening(): Promise<void> {
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  api = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
}

function guarded(of: Verifier): RequestListener {
  const guard = requireToken(of, { permission: 'notes:write' });
  return async (request, response) => {
    if ((await guard(request, response)) !== undefined) response.end('written');
  };
}

async function send(method: string, path: string, body: object): Promise<{ id: string }> {
  const headers = { 'content-type': 'application/json' };
  const response = await operator.fetch(path, { method, headers, body: JSON.stringify(body) });
  assert.ok(response.ok, `${path} answered ${response.status}`);
  return (await response.json()) as { id: string };
}

const setRoles = (...roles: readonly string[]) => send('PUT', `/auth/admin/users/${userId}/roles`, { roles });

async function write(client: Client): Promise<number> {
  const response = await client.fetch(`${api}/notes`, { method: 'POST', body: 'a note' });
  await response.text();
  return response.status;
}

test('a role that goes and comes back counts at the next call, and nobody signs in again', async () => {
  const client = createClient({ baseUrl: origin, origins: [api] });
  await client.login('ada', password);
  const causes: string[] = [];
  client.onChange(({ cause }) => causes.push(cause));
  assert.equal(await write(client), 200);
  for (let round = 0; round < 10; round += 1) {
    for (const [roles, status] of [
      [[], 403],
      [['writer'], 200],
    ] as const) {
      const told = Promise.withResolvers<void>();
      const stop = verifier.onMark(() => told.resolve());
      await setRoles(...roles);
      await told.promise;
      stop();
      assert.equal(await write(client), status, `round ${round}`);
      assert.deepEqual(client.user?.roles, roles);
    }
  }
  assert.deepEqual(new Set(causes), new Set(['refreshed']));
  assert.equal(causes.length, 20);
});

test('twenty calls at once in the moment of the change: each is answered, with one refresh', async () => {
  const client = createClient({ baseUrl: origin, origins: [api] });
  await client.login('ada', password);
  let refreshes = 0;
  client.onChange(() => (refreshes += 1));
  const told = Promise.withResolvers<void>();
  const stop = verifier.onMark(() => told.resolve());
  await setRoles('writer', 'administrator');
  await told.promise;
  stop();
  const statuses = await Promise.all(Array.from({ length: 20 }, () => write(client)));
  assert.deepEqual(new Set(statuses), new Set([200]));
  assert.equal(refreshes, 1);
});
