// Security events pushed to a receiver's own server (RFC 8935): what is sent, in which order, what happens while it is down, when it
// refuses, and when we are killed.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { decodeJwt } from 'jose';
import { startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';
import { rowsOf } from '../support/database_file.ts';
import {
  type EventClaims,
  newClient,
  type PushReceiver,
  type ReceiverClient,
  startPushReceiver,
  until,
  verifyEvent,
} from '../support/event_receiver.ts';
import { spawnAuth } from '../support/spawned_auth.ts';

let server: TestAuthServer;
let receiver: PushReceiver;
let client: ReceiverClient;
let made = 0;
const secret = 'Bearer what-the-receiver-chose';

before(async () => {
  server = await startAuthServer();
  receiver = await startPushReceiver();
  client = await newClient(server);
});
after(async () => {
  await server.close();
  await receiver.close();
});
beforeEach(async () => {
  receiver.answer = (response) => response.writeHead(202).end();
  await register();
  await until(async () => (await shown())['waiting'] === 0, 'what the test before left is taken');
  receiver.pushed.length = 0;
});

async function register(extra: object = {}): Promise<void> {
  const delivery = { method: 'urn:ietf:rfc:8935', endpoint_url: receiver.url, authorization_header: secret };
  const body = { client_id: client.id, delivery, ...extra };
  const { status, text } = await server.operator('POST', '/auth/admin/receivers', body);
  assert.ok(status === 201 || status === 200, text);
  assert.ok(!text.includes('what-the-receiver-chose'));
}

async function shown(): Promise<Record<string, unknown>> {
  return JSON.parse((await server.operator('GET', `/auth/admin/receivers/${client.id}`)).text);
}

/** Ends as many new sessions, and answers their ids in the order in which they ended. */
async function endSessions(count: number): Promise<string[]> {
  const { username } = await server.createUser(`push-person${made++}`);
  const ended: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const { session_id: sid } = await server.login(username, userPassword);
    assert.equal((await server.operator('DELETE', `/auth/admin/sessions/${sid}`)).status, 204);
    ended.push(sid);
  }
  return ended;
}

const sessionIn = (token: string) =>
  ((decodeJwt(token) as unknown as EventClaims).sub_id['session'] as { id: string }).id;

/** Each once, in the order in which they came first. */
const sessionsPushed = () => [...new Set(receiver.pushed.map(({ token }) => sessionIn(token)))];

test('each event is one POST with a good token and the header that the receiver asked for', async () => {
  const [sid] = await endSessions(1);
  await until(() => receiver.pushed.length > 0, 'pushed');
  const [{ headers, token } = { headers: {}, token: '' }] = receiver.pushed;
  assert.equal(headers['content-type'], 'application/secevent+jwt');
  assert.equal(headers.authorization, secret);
  const { payload } = await verifyEvent(server, token, client.id);
  assert.deepEqual(payload.sub_id['session'], { format: 'opaque', id: sid });
  await until(async () => (await shown())['waiting'] === 0, 'taken out');
});

test('events are told in the order of the changes, one after the other', async () => {
  let open = 0;
  receiver.answer = (response) => {
    assert.equal(++open, 1);
    setImmediate(() => {
      open -= 1;
      response.writeHead(202).end();
    });
  };
  const ended = await endSessions(12);
  await until(() => sessionsPushed().length === 12, 'all pushed');
  assert.deepEqual(sessionsPushed(), ended);
});

test('a receiver that was down gets everything later, in order', async () => {
  const port = Number(new URL(receiver.url).port);
  await receiver.close();
  const ended = await endSessions(5);
  await until(async () => (await shown())['last_error'] === 'unreachable', 'a failure is seen');
  assert.equal((await shown())['waiting'], 5);
  receiver = await startPushReceiver(port);
  await until(() => sessionsPushed().length === 5, 'all pushed');
  assert.deepEqual(sessionsPushed(), ended);
  await until(async () => (await shown())['failures'] === 0, 'forgiven');
});

test('anything but 202 is not taken: it comes again, and nothing behind it comes first', async () => {
  const answers = [500, 302, 200, 202];
  receiver.answer = (response) =>
    response.writeHead(answers.shift() ?? 202, { location: '/elsewhere' }).end();
  const ended = await endSessions(2);
  await until(async () => (await shown())['last_error'] === 'status_500', 'failed once');
  // Registered again it begins afresh, so the test need not wait for the pauses to grow.
  for (const error of ['status_302', 'status_200']) {
    await register();
    await until(async () => (await shown())['last_error'] === error, error);
  }
  await register();
  await until(() => sessionsPushed().length === 2, 'both');
  assert.deepEqual(sessionsPushed(), ended);
  assert.equal(new Set(receiver.pushed.map(({ token }) => decodeJwt(token).jti)).size, 2);
});

test('an event that the receiver calls no good is left out, one that it cannot check yet is not', async () => {
  const [first, second] = ['invalid_request', 'invalid_key'];
  const errors = [first, second];
  receiver.answer = (response) => {
    const err = errors.shift();
    response.writeHead(err === undefined ? 202 : 400, { 'content-type': 'application/json' });
    response.end(err === undefined ? '' : JSON.stringify({ err, description: 'no' }));
  };
  const ended = await endSessions(2);
  await until(() => receiver.pushed.length >= 3, 'three attempts');
  const attempts = receiver.pushed.map(({ token }) => sessionIn(token));
  assert.deepEqual(attempts.slice(0, 3), [ended[0], ended[1], ended[1]]);
});

test('the header is ciphertext in the database', () => {
  const kept = rowsOf(server.dataDir, 'SELECT authorization_header AS kept FROM receivers');
  assert.equal(kept.length, 1);
  for (const row of kept) assert.match(String(row['kept']), /^w1\./);
});

test('killed while a receiver is down: the next start tells it everything', async () => {
  const dataDir = join(mkdtempSync(join(tmpdir(), 'lk-events-')), 'data');
  let own = await startAuthServer({ dataDir });
  const other = await startPushReceiver();
  try {
    const { id } = await newClient(own);
    const delivery = { method: 'urn:ietf:rfc:8935', endpoint_url: other.url };
    await own.operator('POST', '/auth/admin/receivers', { client_id: id, delivery });
    const sids = [];
    for (let i = 0; i < 3; i += 1) sids.push((await own.login('admin', own.admin.password)).session_id);
    await own.server.close();

    // It never answers: the kill comes in the middle of a delivery.
    other.answer = () => {};
    const spawned = await spawnAuth({ dataDir });
    const { access_token: token } = (await (
      await fetch(`${spawned.address}/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'admin', password: own.admin.password }),
      })
    ).json()) as { access_token: string };
    const headers = { authorization: `Bearer ${token}` };
    for (const sid of sids) {
      const ended = await fetch(`${spawned.address}/auth/me/sessions/${sid}`, { method: 'DELETE', headers });
      assert.equal(ended.status, 204);
    }
    await until(() => other.pushed.length > 0, 'under way');
    await spawned.kill();

    other.pushed.length = 0;
    other.answer = (response) => response.writeHead(202).end();
    own = await startAuthServer({ dataDir });
    await until(() => other.pushed.length >= 3, 'told after the restart');
    assert.deepEqual(
      other.pushed.map(({ token }) => sessionIn(token)),
      sids,
    );
  } finally {
    await own.server.close();
    await other.close();
    rmSync(join(dataDir, '..'), { recursive: true, force: true });
  }
});
