// Security events for third parties: every change that ends sessions, changes a password or somebody's roles becomes a signed token
// (RFC 8417) with a CAEP event, and a receiver polls for it (RFC 8936). jose is the receiver's judge.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseJwkSet, verifyAccessToken } from '@latchkey/core';
import { startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';
import {
  caep,
  type EventClaims,
  newClient,
  poll,
  type ReceiverClient,
  takeAll,
  until,
  verifyEvent,
} from '../support/event_receiver.ts';

let server: TestAuthServer;
let client: ReceiverClient;
let made = 0;
const polled = { method: 'urn:ietf:rfc:8936' };

before(async () => {
  server = await startAuthServer({ refreshGrace: 0 });
  client = await newClient(server);
  await register(client.id);
});
after(() => server.close());

async function register(id: string, extra: object = {}): Promise<void> {
  const body = { client_id: id, delivery: polled, ...extra };
  const { status, text } = await server.operator('POST', '/auth/admin/receivers', body);
  assert.equal(status, 201, text);
}

async function signedIn() {
  const user = await server.createUser(`event-person${made++}`);
  return { user, ...(await server.login(user.username, userPassword)) };
}
type Person = Awaited<ReturnType<typeof signedIn>>;

async function ok(answer: Promise<{ status: number; text: string }>): Promise<void> {
  const { status, text } = await answer;
  assert.ok(status < 300, text);
}

const userOf = (person: Person) => ({ format: 'iss_sub', iss: server.issuer, sub: person.user.id });
const sessionOf = (person: Person) => ({
  format: 'complex',
  user: userOf(person),
  session: { format: 'opaque', id: person.session_id },
});

/** `[subject, type, who began it]` of one event; the common members are checked here. */
function essence(claims: EventClaims): [unknown, string, unknown] {
  const entries = Object.entries(claims.events);
  assert.equal(entries.length, 1);
  const [type, details] = entries[0] ?? ['', {}];
  assert.equal(details['event_timestamp'], claims.iat);
  assert.ok(Math.abs(claims.iat - Date.now() / 1000) < 60);
  assert.match(JSON.stringify(details['reason_admin']), /^\{"en":".+"\}$/);
  // SSF §4.1: what an access token must have is not there.
  assert.ok(!('exp' in claims) && !('sub' in claims) && claims.txn.length === 22);
  return [claims.sub_id, type.split('/').at(-1) ?? '', details['initiating_entity']];
}

const session = 'session-revoked';
const admin = (method: string, path: string, body?: unknown) =>
  ok(server.operator(method, `/auth/admin${path}`, body));
const newPassword = 'meadow larks at seven';

type Expected = (person: Person) => [unknown, string, string][];
const causes: Readonly<Record<string, readonly [(person: Person) => Promise<void>, Expected]>> = {
  'a sign-out': [
    ({ access_token: token }) => ok(server.call('POST', '/auth/logout', { token })),
    (person) => [[sessionOf(person), session, 'user']],
  ],
  'a device signed out': [
    async ({ access_token: token, session_id: sid }) =>
      ok(server.call('DELETE', `/auth/me/sessions/${sid}`, { token })),
    (person) => [[sessionOf(person), session, 'user']],
  ],
  'a session ended by an administrator': [
    ({ session_id: sid }) => admin('DELETE', `/sessions/${sid}`),
    (person) => [[sessionOf(person), session, 'admin']],
  ],
  'a refresh token used twice': [
    async ({ refresh_token: token }) => {
      const second = await server.refresh(token);
      await ok(server.refresh(second.body.refresh_token));
      assert.equal((await server.refresh(token)).body.reason, 'reuse');
    },
    (person) => [[sessionOf(person), session, 'policy']],
  ],
  'a sign-out everywhere': [
    ({ access_token: token }) => ok(server.call('POST', '/auth/logout/all', { token })),
    (person) => [[userOf(person), session, 'user']],
  ],
  'a ban': [
    ({ user }) => admin('PATCH', `/users/${user.id}`, { disabled: true }),
    (person) => [[userOf(person), session, 'admin']],
  ],
  'a deleted account': [
    ({ user }) => admin('DELETE', `/users/${user.id}`),
    (person) => [[userOf(person), session, 'admin']],
  ],
  'a password changed': [
    ({ access_token: token }) => {
      const body = { current_password: userPassword, new_password: newPassword };
      return ok(server.call('POST', '/auth/me/password', { token, body }));
    },
    (person) => [
      [userOf(person), session, 'user'],
      [userOf(person), 'credential-change', 'user'],
    ],
  ],
  'a password set by an administrator': [
    ({ user }) => admin('PUT', `/users/${user.id}/password`, { password: newPassword }),
    (person) => [
      [userOf(person), session, 'admin'],
      [userOf(person), 'credential-change', 'admin'],
    ],
  ],
  'new roles': [
    async ({ user }) => {
      await server.createRole('event-nurse', ['records:read']);
      await admin('PUT', `/users/${user.id}/roles`, { roles: ['event-nurse'] });
    },
    (person) => [[userOf(person), 'token-claims-change', 'admin']],
  ],
  'a new name': [
    ({ user }) => admin('PATCH', `/users/${user.id}`, { username: `${user.username}-renamed` }),
    (person) => [[userOf(person), 'token-claims-change', 'admin']],
  ],
};

for (const [name, [change, expected]] of Object.entries(causes)) {
  test(`${name} is told`, async () => {
    const person = await signedIn();
    await change(person);
    const events = await takeAll(server, client);
    assert.deepEqual(events.map(essence), expected(person));
    assert.equal(new Set(events.map(({ txn }) => txn)).size, 1, 'one cause, one txn');
    const details = Object.assign({}, ...events.map(({ events: all }) => all));
    if (name === 'new roles')
      assert.deepEqual(details[caep('token-claims-change')].claims, { roles: ['event-nurse'] });
    if (name === 'a new name')
      assert.deepEqual(details[caep('token-claims-change')].claims, {
        preferred_username: `${person.user.username}-renamed`,
      });
    if (name.startsWith('a password')) {
      const { credential_type: type, change_type: change } = details[caep('credential-change')];
      assert.deepEqual([type, change], ['password', 'update']);
    }
  });
}

test('a removed client: every session that began through it; a single token and a role table say nothing', async () => {
  const gone = await newClient(server, 'gone');
  const { access_token: token } = await signedIn();
  const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  await admin('DELETE', `/tokens/${jti}`);
  await admin('PATCH', '/roles/event-nurse', { permissions: [] });
  await admin('DELETE', `/clients/${gone.id}`);
  const subject = { format: 'complex', application: { format: 'opaque', id: gone.id } };
  assert.deepEqual((await takeAll(server, client)).map(essence), [[subject, session, 'admin']]);
});

test('events come again, in order, until they are acknowledged, and no more at once than asked for', async () => {
  const people = [await signedIn(), await signedIn(), await signedIn()];
  for (const { session_id: sid } of people) await admin('DELETE', `/sessions/${sid}`);
  const first = await poll(server, client, { maxEvents: 2, returnImmediately: true });
  const jtis = Object.keys(first.sets);
  assert.deepEqual([jtis.length, first.moreAvailable], [2, true]);
  const again = await poll(server, client, { maxEvents: 2, returnImmediately: true });
  assert.deepEqual(Object.keys(again.sets), jtis);
  // RFC 8936 §2.2: nought acknowledges only; an id that is not there is passed over.
  const only = await poll(server, client, { maxEvents: 0, ack: [jtis[0], 'unknown'] });
  assert.deepEqual(only.sets, {});
  const rest = await takeAll(server, client);
  assert.deepEqual(
    rest.map(({ sub_id: id }) => id),
    people.slice(1).map(sessionOf),
  );
});

test('a receiver that says an event is no good is not given it again; one that lacks a key is', async () => {
  const people = [await signedIn(), await signedIn()];
  for (const { session_id: sid } of people) await admin('DELETE', `/sessions/${sid}`);
  const [bad = '', early = ''] = Object.keys((await poll(server, client)).sets);
  const setErrs = {
    [bad]: { err: 'invalid_request', description: 'what is this?' },
    [early]: { err: 'invalid_key' },
  };
  const after = await poll(server, client, { returnImmediately: true, setErrs });
  assert.deepEqual(Object.keys(after.sets), [early]);
  const shown = await server.operator('GET', `/auth/admin/receivers/${client.id}`);
  assert.equal(JSON.parse(shown.text).last_error, 'invalid_key');
  const [row] = (await server.operator('GET', '/auth/admin/audit?action=event.refuse')).body.items;
  assert.deepEqual([row?.target, row?.reason], [client.id, 'invalid_request']);
  assert.equal((await takeAll(server, client)).length, 1);
});

test('an event keeps its jti and its words when the key changes, and is signed with the new one', async () => {
  const person = await signedIn();
  await admin('DELETE', `/sessions/${person.session_id}`);
  const [before = ''] = Object.values((await poll(server, client)).sets);
  const old = await verifyEvent(server, before, client.id);
  await admin('POST', '/keys/rotate', { immediately: true });
  const [after = ''] = Object.values((await poll(server, client)).sets);
  const renewed = await verifyEvent(server, after, client.id);
  assert.notEqual(renewed.protectedHeader.kid, old.protectedHeader.kid);
  assert.deepEqual(renewed.payload, old.payload);
  await takeAll(server, client);
});

test('a call waits until there is something; a newer one sends the older home', async () => {
  const older = poll(server, client, {});
  const newer = poll(server, client, {});
  const first = await Promise.race([older, newer]);
  assert.deepEqual(first, { sets: {}, moreAvailable: false });
  const { session_id: sid } = await signedIn();
  await admin('DELETE', `/sessions/${sid}`);
  const answers = await Promise.all([older, newer]);
  assert.deepEqual(answers.map(({ sets }) => Object.keys(sets).length).sort(), [0, 1]);
  await takeAll(server, client);
});

test('only what was asked for, only for receivers, and ids that differ from one to the other', async () => {
  const other = await newClient(server, 'other');
  const stranger = await newClient(server, 'stranger');
  await register(other.id, { events_requested: [caep('session-revoked')] });
  const { user } = await signedIn();
  await admin('PUT', `/users/${user.id}/password`, { password: newPassword });
  const [mine, theirs] = [await takeAll(server, client), await takeAll(server, other)];
  assert.deepEqual([mine.length, theirs.length], [2, 1]);
  assert.notEqual(mine[0]?.jti, theirs[0]?.jti);
  assert.equal(mine[0]?.txn, theirs[0]?.txn);
  for (const { authorization } of [stranger, { authorization: 'Basic bm9ib2R5OnNlY3JldA==' }]) {
    const answer = await server.call('POST', '/auth/events/poll', { body: {}, headers: { authorization } });
    assert.equal(answer.status, authorization === stranger.authorization ? 404 : 401);
  }
  await admin('DELETE', `/clients/${other.id}`);
  assert.equal((await server.operator('GET', `/auth/admin/receivers/${other.id}`)).status, 404);
  await takeAll(server, client);
});

test('a security event token opens nothing, and an access token is no event (threat C05)', async () => {
  const person = await signedIn();
  await admin('DELETE', `/sessions/${(await signedIn()).session_id}`);
  const [event = ''] = Object.values((await poll(server, client)).sets);
  await verifyEvent(server, event, client.id);
  const jwks = JSON.parse((await server.call('GET', '/auth/.well-known/jwks.json')).text);
  const options = { issuer: server.issuer, audience: client.id, now: Date.now() };
  assert.throws(() => verifyAccessToken(event, parseJwkSet(jwks), options), { code: 'wrong_type' });
  for (const path of ['/auth/me', '/auth/admin/users'])
    assert.equal((await server.call('GET', path, { token: event })).status, 401, path);
  const { access_token: token } = person;
  await assert.rejects(verifyEvent(server, token, server.audience), {
    code: 'ERR_JWT_CLAIM_VALIDATION_FAILED',
  });
  const refreshed = await server.refresh(event);
  assert.equal(refreshed.status, 400);
  await takeAll(server, client);
});

test('the metadata of a transmitter (SSF 1.0)', async () => {
  const { text } = await server.call('GET', '/.well-known/ssf-configuration/auth');
  const metadata = JSON.parse(text);
  assert.equal(metadata.issuer, server.issuer);
  assert.equal(metadata.jwks_uri, `${server.issuer}/.well-known/jwks.json`);
  assert.deepEqual(metadata.delivery_methods_supported, ['urn:ietf:rfc:8935', 'urn:ietf:rfc:8936']);
});

test('nothing is written while nobody is registered, and what waited goes with its receiver', async () => {
  await admin('DELETE', `/sessions/${(await signedIn()).session_id}`);
  await admin('DELETE', `/receivers/${client.id}`);
  await admin('DELETE', `/sessions/${(await signedIn()).session_id}`);
  await register(client.id);
  assert.deepEqual(await takeAll(server, client), []);
  const metrics = async () => (await (await fetch(`${server.internalUrl}/metrics`)).text()) as string;
  await until(async () => /latchkey_events_waiting 0\n/.test(await metrics()), 'the metric is there');
});

test('a server that ends answers whoever waits', async () => {
  const own = await startAuthServer();
  const waiter = await newClient(own, 'waiter');
  await own.operator('POST', '/auth/admin/receivers', { client_id: waiter.id, delivery: polled });
  const waiting = poll(own, waiter, {});
  // The second call sends the first home: from then on one waits for sure.
  const second = poll(own, waiter, {});
  await Promise.race([waiting, second]);
  await own.close();
  assert.deepEqual(await Promise.all([waiting, second]), [
    { sets: {}, moreAvailable: false },
    { sets: {}, moreAvailable: false },
  ]);
});
