// The whole road, with nothing in place of anything: @latchkey/client → gateway → auth server and services, the roles and
// people of the manifest made through the admin API. It shows the promises as an application meets them.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, createClient, type UserChange } from '@latchkey/client';
import { createGateway, type Gateway } from '@latchkey/gateway';
import { type AuthServer, createAuthServer } from '@latchkey/server';
import example, { type Addresses } from '../../examples/hospital/latchkey.example.ts';
import { type Service, startService } from './hospital_fixture.ts';

const password = 'plenty of sample words';
const dataDir = mkdtempSync(join(tmpdir(), 'hospital-whole-'));
const services: Service[] = [];
let origin = '';
let auth: AuthServer;
let gateway: Gateway;
let admin: Client;
let ids: Record<string, string>;

before(async () => {
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  const issuer = `${origin}/auth`;
  auth = await createAuthServer({
    issuer,
    dataDir,
    listen: { host: '127.0.0.1', port: 0 },
    admin: { username: 'admin', password },
    logLevel: 'silent',
  });
  const { address = '' } = await auth.listen();
  ids = await makePeople(address, issuer);
  const addresses = await startServices(issuer, address);
  gateway = createGateway({
    routes: example.routes(addresses),
    issuer,
    audience: origin,
    authUpstream: address,
    listen: { host: '127.0.0.1', port },
    internal: false,
  });
  await gateway.listen();
  await gateway.ready();
  admin = createClient({ baseUrl: origin, audience: issuer });
  await admin.login('admin', password);
});

after(async () => {
  for (const { process } of services) process.kill('SIGTERM');
  await Promise.all(services.map(({ ended }) => ended));
  await gateway?.close();
  await auth?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** The issuer's name holds the gateway's port, so that has to be known before there is a gateway. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function makePeople(address: string, issuer: string): Promise<Record<string, string>> {
  const operator = createClient({ baseUrl: address, audience: issuer });
  await operator.login('admin', password);
  const post = async (path: string, body: object): Promise<{ id: string }> => {
    const response = await operator.fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 201, path);
    return (await response.json()) as { id: string };
  };
  for (const role of example.roles) await post('/auth/admin/roles', role);
  const made = await Promise.all(
    example.people.map(async ({ username, roles }) => {
      return [username, (await post('/auth/admin/users', { username, password, roles })).id];
    }),
  );
  return Object.fromEntries(made);
}

async function startServices(issuer: string, address: string): Promise<Addresses> {
  const addresses = { records: '', appointments: '' };
  for (const { name, env } of example.services) {
    const service = await startService(name, {
      DATA_DIR: join(dataDir, name),
      LATCHKEY_ISSUER: issuer,
      LATCHKEY_AUDIENCE: origin,
      LATCHKEY_ISSUER_ADDRESS: `${address}/auth`,
      ...env({ addresses, people: ids }),
    });
    services.push(service);
    addresses[name] = service.url;
  }
  return addresses;
}

async function signIn(username: string): Promise<Client> {
  const client = createClient({ baseUrl: origin });
  await client.login(username, password);
  return client;
}

const asAdmin = (method: string, path: string, body?: object): Promise<Response> =>
  admin.fetch(path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const write = (client: Client, text: string): Promise<Response> =>
  client.fetch('/api/patients/p-1001/records', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'note', text }),
  });

const status = async (response: Promise<Response>): Promise<number> => (await response).status;

test('a doctor reads and writes, a receptionist gets 403, a patient sees what the doctor wrote', async () => {
  const [grey, robin, ann, ben] = await Promise.all(
    ['dr.grey', 'robin.desk', 'ann.lee', 'ben.ortiz'].map(signIn),
  );
  assert.ok(grey && robin && ann && ben);
  assert.equal(await status(write(grey, 'Feels much better.')), 201);
  assert.equal(await status(write(robin, 'From the desk.')), 403);
  assert.equal(await status(robin.fetch('/api/patients/p-1001/records')), 403);
  assert.equal(await status(ben.fetch('/api/patients/p-1001/records')), 403);
  const { items } = (await (await ann.fetch('/api/patients/p-1001/records')).json()) as {
    items: { text: string }[];
  };
  assert.equal(items[0]?.text, 'Feels much better.');
});

test('roles that change count at the next call, and nobody is signed out', async () => {
  const joy = await signIn('nurse.joy');
  const changes: UserChange[] = [];
  joy.onChange((change) => changes.push(change));
  assert.equal(await status(write(joy, 'As a nurse.')), 403);
  const roles = `/auth/admin/users/${ids['nurse.joy']}/roles`;
  assert.equal(await status(asAdmin('PUT', roles, { roles: ['doctor'] })), 200);
  // The mark travels to the gateway by the stream; until it is there, the answer is the old one.
  let answer = 403;
  for (let tries = 0; tries < 100 && answer === 403; tries++) {
    answer = await status(write(joy, 'As a doctor.'));
    if (answer === 403) await pause(20);
  }
  assert.equal(answer, 201);
  assert.deepEqual(
    changes.map(({ cause }) => cause),
    ['refreshed'],
  );
  assert.deepEqual(joy.user?.roles, ['doctor']);
});

/** Milliseconds are not counted here, only that it happens while the token still has minutes to live. */
async function refusedInTheEnd(token: string, url = `${origin}/api/appointments`): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  for (let tries = 0; tries < 250; tries++) {
    const response = await fetch(url, { headers });
    const { reason } = (await response.json()) as { reason: string };
    if (response.status === 401) return reason;
    await pause(20);
  }
  return 'never';
}

test('a copied token is refused after the sign-out, at the gateway and at the service behind it', async () => {
  const ann = await signIn('ann.lee');
  const copy = ann.accessToken ?? '';
  assert.equal(await status(ann.fetch('/api/appointments')), 200);
  await ann.logout();
  assert.equal(await refusedInTheEnd(copy), 'revoked');
  assert.equal(await refusedInTheEnd(copy, `${services[0]?.url}/api/patients`), 'revoked');
});

test('a banned person is out at once, and is told why when the client asks', async () => {
  const ben = await signIn('ben.ortiz');
  const copy = ben.accessToken ?? '';
  const changes: UserChange[] = [];
  ben.onChange((change) => changes.push(change));
  assert.equal(
    await status(asAdmin('PATCH', `/auth/admin/users/${ids['ben.ortiz']}`, { disabled: true })),
    200,
  );
  assert.equal(await refusedInTheEnd(copy), 'revoked');
  assert.equal(await status(ben.fetch('/api/appointments')), 401);
  assert.deepEqual([changes[0]?.cause, changes[0]?.reason], ['ended', 'disabled']);
});

test('sign-out everywhere reaches the other device', async () => {
  const [phone, laptop] = [await signIn('dr.grey'), await signIn('dr.grey')];
  const copy = laptop.accessToken ?? '';
  await phone.logoutAll();
  assert.equal(phone.user, undefined);
  assert.equal(await refusedInTheEnd(copy), 'revoked');
  assert.equal(await status(laptop.fetch('/api/appointments')), 401);
  assert.equal(laptop.user, undefined);
});

test('a token for the auth server’s own administration opens nothing in the hospital', async () => {
  const response = await fetch(`${origin}/api/appointments`, {
    headers: { authorization: `Bearer ${admin.accessToken}` },
  });
  assert.equal(response.status, 401);
});
