// From a change at the server to a refusal at a verifier, over the real stream: @latchkey/core/verifier knows an issuer and an
// audience and nothing else. Also the stream and the snapshot as bytes on the wire.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { TokenError, verifyJws } from '@latchkey/core';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';

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

test('the snapshot is signed by a published key, over its very bytes', async () => {
  const { access_token: token, session_id: sid } = await signedIn();
  await ok(server.call('POST', '/auth/logout', { token }));
  const { text, headers } = await server.call('GET', '/auth/signals/snapshot');
  const jwks = JSON.parse((await server.call('GET', '/auth/.well-known/jwks.json')).text);
  const { header, payload } = verifyJws(headers.get('latchkey-signature'), jwks, { algorithms: ['ES256'] });
  assert.equal(header['typ'], 'signals+jwt');
  const said = JSON.parse(Buffer.from(payload).toString());
  const body = JSON.parse(text);
  assert.equal(said.sha256, createHash('sha256').update(text).digest('base64url'));
  for (const member of ['iss', 'epoch', 'seq', 'as_of', 'max_life'])
    assert.equal(said[member], body[member], member);
  assert.ok(
    body.marks.some((mark: { by: string; value: string }) => mark.by === 'sid' && mark.value === sid),
  );
});

/** Frames of the stream until `until` is among them, as text. */
async function read(until: string, lastEventId?: string): Promise<string[]> {
  const abort = new AbortController();
  const response = await fetch(`${server.url}/auth/signals`, {
    signal: AbortSignal.any([abort.signal, AbortSignal.timeout(20_000)]),
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
  });
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.includes(until) && text.endsWith('\n\n')) break;
  }
  abort.abort();
  return text.split('\n\n').filter((frame) => frame !== '');
}

const idIn = (frames: readonly string[], part: string) =>
  /^id: (.+)$/m.exec(frames.find((frame) => frame.includes(part)) ?? '')?.[1];

test('Last-Event-ID resumes where a reader stopped; a foreign one is a reset; garbage is 400', async () => {
  const sessions = [await signedIn(), await signedIn()];
  const [first, second] = sessions.map(({ session_id: sid }) => sid) as [string, string];
  const reading = read(first);
  await pause(50);
  await ok(server.call('POST', '/auth/logout', { token: sessions[0]?.access_token ?? '' }));
  const position = idIn(await reading, first);
  await ok(server.call('POST', '/auth/logout', { token: sessions[1]?.access_token ?? '' }));
  const resumed = (await read(second, position)).filter((frame) => frame.includes('event: revoke'));
  assert.equal(resumed.length, 1);
  const foreign = position?.replace(/^[^-]+/, 'another') ?? '';
  assert.ok((await read('event: reset', foreign)).includes('event: reset\ndata: {}'));
  const garbage = await server.call('GET', '/auth/signals', { headers: { 'last-event-id': 'x y' } });
  assert.equal(garbage.status, 400);
});

test('a stream begins with a heartbeat that says up to when it is complete', async () => {
  const before = Date.now();
  const frame = (await read('event: heartbeat')).find((text) => text.includes('heartbeat')) ?? '';
  const { as_of: asOf, seq, max_life: maxLife } = JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? '{}');
  assert.ok(asOf >= before && asOf <= Date.now());
  assert.ok(Number.isInteger(seq));
  assert.equal(maxLife, 300);
});

test('streams of one address are bounded, and a place is free again when a reader leaves', async () => {
  const small = await startAuthServer({ limits: { streamsPerAddress: 3 } });
  try {
    const open = async () => {
      const abort = new AbortController();
      const { status } = await fetch(`${small.url}/auth/signals`, { signal: abort.signal });
      return { status, abort };
    };
    const readers = [await open(), await open(), await open(), await open()];
    assert.deepEqual(
      readers.map(({ status }) => status),
      [200, 200, 200, 429],
    );
    readers[0]?.abort.abort();
    let status = 429;
    for (let i = 0; i < 500 && status === 429; i += 1) {
      await pause(5);
      const reader = await open();
      status = reader.status;
      reader.abort.abort();
    }
    assert.equal(status, 200);
    for (const { abort } of readers) abort.abort();
  } finally {
    await small.close();
  }
});
