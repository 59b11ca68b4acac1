// R09 (CVE-2023-22492, GHSA-2vg6-77g8-24mp): a user who was disabled, deleted, given another password or signed out goes on refreshing, or
// goes on with the access token. The refresh is refused at once, and a gateway refuses the access token as soon as it has heard;
// other roles make it stale, and only the refresh brings the new ones.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createGateway } from '../../packages/gateway/src/index.ts';
import { startUpstream, type Upstream } from '../../packages/gateway/test_support/stage.ts';
import {
  startAuthServer,
  type TestAuthServer,
  type TestUser,
  type Tokens,
  userPassword,
} from '../support/auth_server.ts';

let server: TestAuthServer;
let upstream: Upstream;
let gateway: ReturnType<typeof createGateway>;
let origin: string;
let made = 0;
before(async () => {
  server = await startAuthServer();
  upstream = await startUpstream();
  gateway = createGateway({
    issuer: server.issuer,
    audience: server.audience,
    authUpstream: server.url,
    routes: [{ prefix: '/records', upstreams: [upstream.origin], access: 'authenticated' }],
    closeTimeout: 100,
  });
  origin = `http://127.0.0.1:${(await gateway.listen()).port}`;
  await gateway.ready();
  await server.createRole('r09-nurse', ['records:read']);
});
after(async () => {
  await gateway.close();
  await upstream.close();
  await server.close();
});

interface Victim extends Tokens {
  readonly user: TestUser;
}

async function signedIn(): Promise<Victim> {
  const user = await server.createUser(`victim${made++}`);
  return { ...(await server.login(user.username, userPassword)), user };
}

async function atGateway(token: string): Promise<string> {
  const answer = await fetch(`${origin}/records`, { headers: { authorization: `Bearer ${token}` } });
  const text = await answer.text();
  return answer.status === 200
    ? '200'
    : `${answer.status} ${(JSON.parse(text) as { reason: string }).reason}`;
}

async function becomes(token: string, expected: string): Promise<void> {
  let said = '';
  for (let i = 0; i < 2_000 && said !== expected; i += 1) {
    said = await atGateway(token);
    if (said !== expected) await pause(5);
  }
  assert.equal(said, expected);
}

const operator = async (method: string, path: string, body?: unknown) => {
  const { status, text } = await server.operator(method, `/auth/admin/${path}`, body);
  assert.ok(status < 300, text);
};

const endings: Readonly<Record<string, readonly [string, (victim: Victim) => Promise<unknown>]>> = {
  'a disabled user': ['disabled', ({ user }) => operator('PATCH', `users/${user.id}`, { disabled: true })],
  'a user who was disabled and enabled again': [
    'disabled',
    async ({ user }) => {
      await operator('PATCH', `users/${user.id}`, { disabled: true });
      await operator('PATCH', `users/${user.id}`, { disabled: false });
    },
  ],
  'a deleted user': ['ended', ({ user }) => operator('DELETE', `users/${user.id}`)],
  'a password that an administrator set': [
    'ended',
    ({ user }) => operator('PUT', `users/${user.id}/password`, { password: 'another quiet brook' }),
  ],
  'a session that an administrator ended': [
    'ended',
    ({ session_id: sid }) => operator('DELETE', `sessions/${sid}`),
  ],
  'all sessions that an administrator ended': [
    'ended',
    ({ user }) => operator('DELETE', `users/${user.id}/sessions`),
  ],
};

for (const [name, [reason, end]] of Object.entries(endings)) {
  test(`${name}: no refresh, and the gateway refuses the access token`, async () => {
    const [victim, bystander] = [await signedIn(), await signedIn()];
    assert.equal(await atGateway(victim.access_token), '200');
    await end(victim);
    const { status, body } = await server.refresh(victim.refresh_token);
    assert.deepEqual([status, body.error, body.reason], [400, 'invalid_grant', reason]);
    await becomes(victim.access_token, '401 revoked');
    const again = await server.refresh(victim.refresh_token);
    assert.deepEqual([again.status, again.body.error], [400, 'invalid_grant']);
    assert.equal(await atGateway(bystander.access_token), '200');
    assert.equal((await server.refresh(bystander.refresh_token)).status, 200);
  });
}

test('other roles: the access token is stale, and the refresh brings the new ones', async () => {
  const victim = await signedIn();
  assert.equal(await atGateway(victim.access_token), '200');
  await operator('PUT', `users/${victim.user.id}/roles`, { roles: ['r09-nurse'] });
  await becomes(victim.access_token, '401 stale');
  const { status, body } = await server.refresh(victim.refresh_token);
  assert.equal(status, 200);
  await becomes(body.access_token, '200');
  const seen = upstream.seen.at(-1);
  const at = seen?.rawHeaders.findIndex((header) => header.toLowerCase() === 'x-auth-roles') ?? -1;
  assert.equal(seen?.rawHeaders[at + 1], 'r09-nurse');
});
