// From a change at the server to a refusal at a verifier, over the real stream: @latchkey/core/verifier knows an issuer and an
// audience and nothing else. Also the stream and the snapshot as bytes on the wire.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { TokenError } from '@latchkey/core';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { compactVerify, createLocalJWKSet } from 'jose';
import { type Answer, startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';
import { closedBatches, openSignalStream, type StreamEvent } from '../support/signal_stream.ts';

let server: TestAuthServer;
let verifier: Verifier;
let made = 0;
before(async () => {
  server = await startAuthServer();
  verifier = createVerifier({
    issuer: server.issuer,
    audience: server.audience,
    issuerAddress: `${server.url}/auth`,
  });
  await verifier.ready();
});
after(async () => {
  verifier.close();
  await server.close();
});

async function signedIn(roles: readonly string[] = []) {
  const user = await server.createUser(`person${made++}`, { roles });
  return { user, ...(await server.login(user.username, userPassword)) };
}

function reasonOf(token: string): string {
  try {
    verifier.verifySync(token);
    return 'accepted';
  } catch (error) {
    assert.ok(error instanceof TokenError);
    return error.reason;
  }
}

/** Asks again and again, generously: how soon it is belongs to the proofs. */
async function becomes(token: string, reason: string): Promise<void> {
  for (let i = 0; i < 1000 && reasonOf(token) !== reason; i += 1) await pause(5);
  assert.equal(reasonOf(token), reason);
}

const ok = async (answer: Promise<{ status: number; text: string }>) => {
  const { status, text } = await answer;
  assert.ok(status < 300, text);
};

const ends: Readonly<Record<string, (session: Awaited<ReturnType<typeof signedIn>>) => Promise<void>>> = {
  'a sign-out': ({ access_token: token }) => ok(server.call('POST', '/auth/logout', { token })),
  'a sign-out everywhere': ({ access_token: token }) =>
    ok(server.call('POST', '/auth/logout/all', { token })),
  'a ban': ({ user }) => ok(server.operator('PATCH', `/auth/admin/users/${user.id}`, { disabled: true })),
  'a deleted account': ({ user }) => ok(server.operator('DELETE', `/auth/admin/users/${user.id}`)),
  'an ended session': ({ session_id: sid }) => ok(server.operator('DELETE', `/auth/admin/sessions/${sid}`)),
  'a revoked token': ({ access_token: token }) => {
    const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return ok(server.operator('DELETE', `/auth/admin/tokens/${jti}`));
  },
};

for (const [name, end] of Object.entries(ends)) {
  test(`${name} reaches the verifier, and nobody else is hit`, async () => {
    const [victim, bystander] = [await signedIn(), await signedIn()];
    for (const { access_token: token } of [victim, bystander]) await verifier.verify(token);
    await end(victim);
    await becomes(victim.access_token, 'revoked');
    assert.equal(reasonOf(bystander.access_token), 'accepted');
  });
}

test('a changed role makes tokens stale, and a refresh brings the new roles', async () => {
  await server.createRole('signal-nurse', ['records:read']);
  const session = await signedIn();
  await verifier.verify(session.access_token);
  await ok(server.operator('PUT', `/auth/admin/users/${session.user.id}/roles`, { roles: ['signal-nurse'] }));
  await becomes(session.access_token, 'stale');
  const { body } = await server.refresh(session.refresh_token);
  const { claims } = await verifier.verify(body.access_token);
  assert.deepEqual([claims.roles, claims.scope], [['signal-nurse'], 'records:read']);
});

test('a verifier that comes late learns from the snapshot what came before it', async () => {
  const { access_token: token } = await signedIn();
  await ok(server.call('POST', '/auth/logout', { token }));
  const late = createVerifier({
    issuer: server.issuer,
    audience: server.audience,
    issuerAddress: `${server.url}/auth`,
  });
  try {
    await late.ready();
    await assert.rejects(late.verify(token), { reason: 'revoked' });
  } finally {
    late.close();
  }
});

const published = async () => JSON.parse((await server.call('GET', '/auth/.well-known/jwks.json')).text);
const takeSnapshot = (headers: Record<string, string> = {}) =>
  server.call('GET', '/auth/signals/snapshot', { headers });
const epochOf = ({ text }: { text: string }) => JSON.parse(text).epoch as string;

/** What the snapshot's signature says, according to jose. */
async function saidBy(answer: Answer) {
  const signature = answer.headers.get('latchkey-signature') ?? '';
  const { payload, protectedHeader } = await compactVerify(signature, createLocalJWKSet(await published()));
  assert.equal(protectedHeader.typ, 'signals+jwt');
  return JSON.parse(Buffer.from(payload).toString());
}

test('the snapshot is signed by a published key, over its very bytes', async () => {
  const { access_token: token, session_id: sid } = await signedIn();
  const before = Date.now();
  await ok(server.call('POST', '/auth/logout', { token }));
  const answer = await takeSnapshot();
  const { as_of: asOf, ...said } = await saidBy(answer);
  const { iss, epoch, seq, position, marks } = JSON.parse(answer.text);
  const sha256 = createHash('sha256').update(answer.text).digest('base64url');
  assert.deepEqual(said, { iss, epoch, seq, max_life: 300, sha256 });
  assert.equal(iss, server.issuer);
  assert.ok(asOf >= before && asOf <= Date.now());
  assert.ok(position.startsWith(`${epoch}-${seq}-`));
  const group = marks.find(({ by }: { by: string }) => by === 'sid');
  assert.ok(group.values.includes(sid));
  assert.equal(group.values.length, group.until.length);
});

test('an unchanged snapshot is 304 with a signature of now over the same bytes', async () => {
  const first = await takeSnapshot();
  const etag = first.headers.get('etag') ?? '';
  assert.match(etag, /^"[A-Za-z0-9_-]{43}"$/);
  assert.equal(first.headers.get('cache-control'), 'public, max-age=1');
  const before = await saidBy(first);
  for (const known of [etag, `"other", W/${etag}`]) {
    let same = await takeSnapshot({ 'if-none-match': known });
    let said = await saidBy(same);
    for (let i = 0; i < 500 && said.as_of === before.as_of; i += 1) {
      await pause(20);
      same = await takeSnapshot({ 'if-none-match': known });
      said = await saidBy(same);
    }
    assert.deepEqual([same.status, same.text, same.headers.get('etag')], [304, '', etag]);
    assert.ok(said.as_of > before.as_of);
    assert.equal(said.sha256, before.sha256);
  }
  const { access_token: token } = await signedIn();
  await ok(server.call('POST', '/auth/logout', { token }));
  const changed = await takeSnapshot({ 'if-none-match': etag });
  assert.equal(changed.status, 200);
  assert.notEqual(changed.headers.get('etag'), etag);
});

test('every batch of the stream is closed by a signature over exactly its events', async () => {
  const sessions = await Promise.all(Array.from({ length: 6 }, () => signedIn()));
  const stream = await openSignalStream(server.url);
  assert.match(stream.headers.get('content-type') ?? '', /^text\/event-stream/);
  await stream.until((events) => events.length > 0);
  await Promise.all(
    sessions.map(({ access_token: token }) => ok(server.call('POST', '/auth/logout', { token }))),
  );
  const all = (events: readonly StreamEvent[]) =>
    events.at(-1)?.name === 'heartbeat' && events.filter(({ name }) => name === 'revoke').length >= 6;
  await stream.until(all);
  stream.close();
  const epoch = epochOf(await takeSnapshot());
  const batches = await closedBatches(stream.events, await published(), { iss: server.issuer, epoch });
  assert.equal(
    batches.reduce((sum, { size }) => sum + size, 0),
    6,
  );
  assert.equal(batches[0]?.size, 0);
  for (const { as_of: asOf, max_life: life } of batches) assert.ok(asOf <= Date.now() && life === 300);
});

test('Last-Event-ID resumes where a reader stopped; a foreign one is a reset; garbage is 400', async () => {
  const sessions = [await signedIn(), await signedIn()];
  const [first, second] = sessions.map(({ session_id: sid }) => sid) as [string, string];
  const has = (value: string) => (events: readonly StreamEvent[]) =>
    events.at(-1)?.name === 'heartbeat' && events.some(({ data }) => data.includes(value));
  const reading = await openSignalStream(server.url);
  await ok(server.call('POST', '/auth/logout', { token: sessions[0]?.access_token ?? '' }));
  await reading.until(has(first));
  reading.close();
  const position = reading.events.find(({ data }) => data.includes(first))?.id ?? '';
  await ok(server.call('POST', '/auth/logout', { token: sessions[1]?.access_token ?? '' }));
  const resumed = await openSignalStream(server.url, { 'last-event-id': position });
  await resumed.until(has(second));
  resumed.close();
  assert.equal(resumed.events.filter(({ name }) => name === 'revoke').length, 1);
  const expected = { iss: server.issuer, epoch: position.split('-')[0] ?? '' };
  const [batch] = await closedBatches(resumed.events, await published(), expected);
  assert.equal(batch?.from, Number(position.split('-')[1]));
  const foreign = await openSignalStream(server.url, {
    'last-event-id': position.replace(/^[^-]+/, 'another'),
  });
  await foreign.until(([event]) => event?.name === 'reset');
  foreign.close();
  const garbage = await server.call('GET', '/auth/signals', { headers: { 'last-event-id': 'x y' } });
  assert.equal(garbage.status, 400);
});

// The last one: it ends the administrator's token too.
test('an emergency removal of the key that signs is signed by a key that lives', async () => {
  const keys = await server.operator('GET', '/auth/admin/keys');
  const kid = keys.body.items.find(({ state }) => state === 'current')?.kid ?? '';
  const before = await published();
  const stream = await openSignalStream(server.url);
  await stream.until((events) => events.length > 0);
  await ok(server.operator('DELETE', `/auth/admin/keys/${kid}`));
  await stream.until(
    (events) => events.at(-1)?.name === 'heartbeat' && events.some(({ name }) => name === 'keys'),
  );
  stream.close();
  const events = stream.events.filter(({ name }) => name !== 'heartbeat');
  assert.deepEqual(
    events.map(({ name }) => name),
    ['revoke', 'keys'],
  );
  const removed = before.keys.filter((key: { kid: string }) => key.kid === kid);
  const jwks = { keys: [...removed, ...(await published()).keys] };
  const answer = await takeSnapshot();
  const batches = await closedBatches(stream.events, jwks, { iss: server.issuer, epoch: epochOf(answer) });
  assert.equal(batches[0]?.kid, kid);
  for (const { size, kid: signer } of batches) if (size > 0) assert.notEqual(signer, kid);
  // Only the keys that are left verify it.
  assert.equal((await saidBy(answer)).iss, server.issuer);
});
