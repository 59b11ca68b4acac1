// A role is taken away and given again while its holder works, on the whole hospital as `npm start` runs it. What the receipt
// says is true at once at gateway and services, the client goes on with the new roles, nobody signs in again, and no call
// ever ends in 401.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { type Client, createClient } from '@latchkey/client';
import { type Method, sendOverSocket } from '../../packages/latchkey/src/admin/admin.ts';
import { makeFolder, removeFolder, type StartedSystem, startSystem } from './cli_run.ts';

const folder = makeFolder();
let system: StartedSystem;

before(async () => {
  system = await startSystem(['--example', 'hospital'], { folder });
});
after(async () => {
  await system.stop();
  removeFolder(folder);
});

async function signIn(username: string): Promise<Client> {
  const { password } = system.facts.people.find((person) => person.username === username)!;
  const client = createClient({ baseUrl: system.facts.public_url });
  await client.login(username, password);
  return client;
}

async function asOperator(method: Method, path: string, body?: unknown) {
  const answer = await sendOverSocket(system.facts.auth.socket, method, path, body);
  assert.ok(answer.status < 300, JSON.stringify(answer));
  return answer.body as {
    items: { instance: string }[];
    receipt: { applied: { name: string }[]; pending: [] };
  };
}

async function idOf(username: string): Promise<string> {
  const { items } = (await asOperator('GET', `/auth/admin/users?query=${username}`)) as unknown as {
    items: { id: string }[];
  };
  return items[0]!.id;
}

const write = async (client: Client, text: string): Promise<number> => {
  const response = await client.fetch('/api/patients/p-1001/records', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'note', text }),
  });
  await response.body?.cancel();
  return response.status;
};

const read = async (client: Client, path: string): Promise<number> => {
  const response = await client.fetch(path);
  await response.body?.cancel();
  return response.status;
};

test('the gateway and the services of `latchkey start` are all of the fleet', async () => {
  const names = () =>
    asOperator('GET', '/auth/admin/verifiers').then(({ items }) =>
      items.map((item) => (item as unknown as { name: string }).name).sort(),
    );
  while ((await names()).length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(await names(), ['appointments', 'gateway', 'records']);
});

test('roles change forty times under the hands of somebody at work: no 401, no sign-in, never the old rights', async () => {
  const [desk, phone] = [await signIn('nurse.joy'), await signIn('nurse.joy')];
  const id = await idOf('nurse.joy');
  const causes = new Set<string>();
  for (const client of [desk, phone]) client.onChange(({ cause }) => causes.add(cause));

  // Somebody who simply goes on working, on another device, all the while.
  let over = false;
  const seen = new Map<number, number>();
  const working = (async () => {
    while (!over) {
      const status = await read(phone, '/api/appointments');
      seen.set(status, (seen.get(status) ?? 0) + 1);
    }
  })();
  for (let round = 0; round < 40; round += 1) {
    const role = round % 2 === 0 ? 'doctor' : 'nurse';
    const path = `/auth/admin/users/${id}/roles?wait=applied&timeout=30`;
    const { receipt } = await asOperator('PUT', path, { roles: [role] });
    assert.deepEqual([receipt.applied.length, receipt.pending], [3, []], `round ${round}`);
    assert.equal(await write(desk, `round ${round}`), role === 'doctor' ? 201 : 403, `round ${round}`);
    assert.deepEqual(desk.user?.roles, [role]);
  }
  over = true;
  await working;
  assert.deepEqual([...seen.keys()], [200]);
  assert.deepEqual([...causes], ['refreshed']);
});

test('a second service that learns first answers for the first one: the client refreshes all the same', async () => {
  const robin = await signIn('robin.desk');
  const id = await idOf('robin.desk');
  const book = async () => {
    const response = await robin.fetch('/api/appointments', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ patient_id: 'p-1001', starts_at: '2030-01-31T09:30:00Z', reason: 'Check-up' }),
    });
    await response.body?.cancel();
    return response.status;
  };
  for (let round = 0; round < 10; round += 1) {
    // Without waiting for anybody: gateway, appointments and records hear of it in any order.
    await asOperator('PUT', `/auth/admin/users/${id}/roles`, {
      roles: [round % 2 === 0 ? 'nurse' : 'receptionist'],
    });
    assert.equal(await book(), 201, `round ${round}`);
  }
});
