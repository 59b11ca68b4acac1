// The whole picture on one machine, as `npm start` runs it: real processes, everything through the gateway.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import {
  allGone,
  call,
  descendantsOf,
  latchkey,
  makeFolder,
  removeFolder,
  type StartedSystem,
  signIn,
  startSystem,
} from './cli_run.ts';

const folder = makeFolder();
const example = ['--example', 'hospital'];
let system: StartedSystem;
let url: string;

function passwordOf(username: string): string {
  return system.facts.people.find((person) => person.username === username)!.password;
}

function as(username: string): Promise<string> {
  return signIn(url, username, passwordOf(username));
}

/** Asks until the answer is the wanted one: a signal takes effect within a second, not at once. */
async function until(status: number, ask: () => Promise<{ status: number }>): Promise<void> {
  while ((await ask()).status !== status) await new Promise((resolve) => setTimeout(resolve, 10));
}

before(async () => {
  system = await startSystem(example, { folder });
  url = system.facts.public_url;
});
after(async () => {
  await system.stop();
  removeFolder(folder);
});

test('a doctor reads and writes records, a receptionist may not, a patient sees their own', async () => {
  const [doctor, receptionist, patient] = await Promise.all([as('dr.grey'), as('robin.desk'), as('ann.lee')]);
  const records = '/api/patients/p-1001/records';
  const before = await call(url, records, { token: doctor });
  assert.equal(before.status, 200);
  const note = { kind: 'note', text: 'written through the gateway' };
  assert.equal((await call(url, records, { token: doctor, body: note })).status, 201);
  assert.equal((await call(url, records, { token: receptionist })).status, 403);
  assert.equal((await call(url, records, { token: receptionist, body: note })).status, 403);
  const own = await call(url, '/api/patients', { token: patient });
  assert.deepEqual(
    own.body.items.map(({ id }) => id),
    ['p-1001'],
  );
  assert.notEqual((await call(url, '/api/patients/p-1002/records', { token: patient })).status, 200);
  assert.equal((await call(url, records)).status, 401);
});

test('a changed payload and a token cut short are 401', async () => {
  const token = await as('robin.desk');
  const [header, payload, signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as Record<string, unknown>;
  const changed = Buffer.from(
    JSON.stringify({ ...claims, roles: ['doctor'], scope: 'records:read' }),
  ).toString('base64url');
  for (const forged of [`${header}.${changed}.${signature}`, token.slice(0, -1), `${header}.${payload}.`]) {
    assert.equal((await call(url, '/api/patients', { token: forged })).status, 401);
  }
});

test('a role taken away reaches a running token through the gateway, and the user is not signed out', async () => {
  const { body: pair } = await call(url, '/auth/login', {
    body: { username: 'nurse.joy', password: passwordOf('nurse.joy') },
  });
  const ask = () => call(url, '/api/appointments', { token: pair.access_token });
  await until(200, ask);
  assert.equal((await latchkey(['user', 'roles', 'nurse.joy', 'receptionist'], { folder })).code, 0);
  await until(401, ask);
  assert.equal((await ask()).body.reason, 'stale');
  const fresh = await fetch(`${url}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: pair.refresh_token }),
  });
  assert.equal(fresh.status, 200);
  await latchkey(['user', 'roles', 'nurse.joy', 'nurse'], { folder });
});

test('a banned user is out at the gateway, and signing out ends one token', async () => {
  const banned = await as('ben.ortiz');
  await until(200, () => call(url, '/api/patients', { token: banned }));
  await latchkey(['user', 'disable', 'ben.ortiz'], { folder });
  await until(401, () => call(url, '/api/patients', { token: banned }));
  await latchkey(['user', 'enable', 'ben.ortiz'], { folder });
  const token = await as('ann.lee');
  assert.equal((await call(url, '/auth/logout', { method: 'POST', token })).status, 204);
  await until(401, () => call(url, '/api/patients', { token }));
});

interface Listed {
  readonly id: string;
  readonly name: string;
}

/** What `latchkey … --json` lists. */
async function list(command: string): Promise<Listed[]> {
  const { code, out, err } = await latchkey([...command.split(' '), '--json'], { folder });
  assert.equal(code, 0, err);
  return JSON.parse(out) as Listed[];
}

const names = (items: readonly Listed[]) => items.map(({ name }) => name).sort();

test('gateway and services are registered once, and one whose client was removed is registered anew', async () => {
  const all = ['appointments', 'gateway', 'records'];
  while ((await list('verifiers')).length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(names(await list('verifiers')), all);
  const before = await list('client list');
  assert.deepEqual(names(before), all);
  const file = join(folder, 'data/clients.json');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await system.stop();
  await allGone(Object.values(system.facts.pids));
  assert.equal((await latchkey(['client', 'remove', 'records'], { folder })).code, 0);
  system = await startSystem(example, { folder });
  url = system.facts.public_url;
  // Those that were stopped in order have left: no ghost of the first start is waited for.
  while ((await list('verifiers')).length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(names(await list('verifiers')), all);
  const after = await list('client list');
  assert.deepEqual(names(after), all);
  const idOf = (items: readonly Listed[], wanted: string) => items.find(({ name }) => name === wanted)?.id;
  assert.equal(idOf(after, 'gateway'), idOf(before, 'gateway'));
  assert.notEqual(idOf(after, 'records'), idOf(before, 'records'));
  const { secret } = (JSON.parse(readFileSync(file, 'utf8')) as Record<string, { secret: string }>)[
    'records'
  ]!;
  for (const part of ['auth', 'gateway', 'records'])
    assert.ok(
      !readFileSync(join(folder, `data/logs/${part}.log`), { encoding: 'utf8', flag: 'a+' }).includes(secret),
    );
  for (const pid of Object.values(system.facts.pids))
    assert.ok(!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(secret));
});

test('a second start has the same people, passwords and records; only we can read the passwords', async () => {
  const records = '/api/patients/p-1001/records';
  const before = await call(url, records, { token: await as('dr.grey') });
  const { people } = system.facts;
  await system.stop();
  await allGone(Object.values(system.facts.pids));
  system = await startSystem(example, { folder });
  url = system.facts.public_url;
  assert.deepEqual(system.facts.people, people);
  const after = await call(url, records, { token: await as('dr.grey') });
  assert.deepEqual(after.body.items, before.body.items);
  const file = join(folder, 'data/hospital/people.json');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8'))['dr.grey'], passwordOf('dr.grey'));
});

test('a service that crashes comes back behind the same route', async () => {
  const token = await as('dr.grey');
  process.kill(system.facts.pids['records']!, 'SIGKILL');
  await system.until(/records is back/);
  await until(200, () => call(url, '/api/patients', { token }));
});

test('SIGKILL of the parent takes everything with it, the hashing process included', async () => {
  const pids = descendantsOf(system.child.pid!);
  const { auth, gateway } = system.facts.pids;
  assert.ok(pids.includes(auth!) && pids.includes(gateway!));
  assert.ok(descendantsOf(auth!).length > 0, 'hashing is a process of its own');
  await system.stop('SIGKILL');
  await allGone(pids);
});
