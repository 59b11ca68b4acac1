// R10 (CVE-2026-9802): what was revoked comes back to life with the next start, because it was only remembered in memory. A real
// process is killed with SIGKILL and started again; every refresh token that was ever replaced and every access token that was
// ever revoked is shown to it and to a verifier that starts afresh: none is accepted.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createVerifier } from '@latchkey/core/verifier';
import { adminPassword, testIssuer, userPassword } from '../support/auth_server.ts';
import { type SpawnedAuth, spawnAuth } from '../support/spawned_auth.ts';

const parent = mkdtempSync(join(tmpdir(), 'lk-r10-'));
const audience = new URL(testIssuer).origin;
const many = 1_000_000;
const limits = {
  attemptsPerAccount: many,
  attemptsPerAddress: many,
  attemptsPerAccountAndAddress: many,
  refreshesPerMinute: many,
};
const running: SpawnedAuth[] = [];
after(async () => {
  await Promise.all(running.map((server) => server.stop()));
  rmSync(parent, { recursive: true });
});

async function start(): Promise<SpawnedAuth> {
  const server = await spawnAuth({ dataDir: join(parent, 'data'), refreshGrace: 0, limits });
  assert.equal(server.refused, undefined, server.message);
  running.push(server);
  return server;
}

interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, string>>;
}

async function send(
  method: string,
  url: string,
  { token, json, form }: { token?: string; json?: unknown; form?: Record<string, string> } = {},
): Promise<Reply> {
  const answer = await fetch(url, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text) };
}

const on = ({ address }: SpawnedAuth) => ({
  login: async (username: string, password: string, extra = {}) =>
    (await send('POST', `${address}/auth/login`, { json: { username, password, ...extra } })).body,
  refresh: (token: string) =>
    send('POST', `${address}/auth/token`, { form: { grant_type: 'refresh_token', refresh_token: token } }),
  me: (token: string) => send('GET', `${address}/auth/me`, { token }),
  logout: (token: string) => send('POST', `${address}/auth/logout`, { token }),
  admin: (token: string, method: string, path: string, json?: unknown) =>
    send(method, `${address}/auth/admin/${path}`, { token, ...(json === undefined ? {} : { json }) }),
});

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

test('kill -9, a new start, and everything old is shown again: 0 accepted', async () => {
  const first = await start();
  const { login, refresh, logout, admin } = on(first);
  const adminToken = (await login('admin', adminPassword, { audience: testIssuer }))['access_token'] ?? '';
  const oldRefreshTokens: string[] = [];
  const revoked: string[] = [];

  for (const name of ['anna', 'bert', 'cora', 'dina', 'emil']) {
    const { body: user } = await admin(adminToken, 'POST', 'users', {
      username: name,
      password: userPassword,
    });
    let session = await login(name, userPassword);
    for (let i = 0; i < 3; i += 1) {
      oldRefreshTokens.push(session['refresh_token'] ?? '');
      session = (await refresh(session['refresh_token'] ?? '')).body;
    }
    const token = session['access_token'] ?? '';
    if (name === 'anna') await logout(token);
    else if (name === 'bert') await admin(adminToken, 'PATCH', `users/${user['id']}`, { disabled: true });
    else if (name === 'cora') await admin(adminToken, 'DELETE', `users/${user['id']}`);
    else if (name === 'dina') await admin(adminToken, 'DELETE', `tokens/${claimsOf(token).jti}`);
    else await admin(adminToken, 'DELETE', `sessions/${session['session_id']}`);
    revoked.push(token);
    if (name !== 'dina') oldRefreshTokens.push(session['refresh_token'] ?? '');
  }
  const living = await login('admin', adminPassword);
  await first.kill();

  const second = on(await start());
  const verifier = createVerifier({
    issuer: testIssuer,
    audience,
    issuerAddress: `${running.at(-1)?.address}/auth`,
  });
  try {
    for (const token of revoked) {
      assert.equal((await second.me(token)).status, 401);
      await assert.rejects(verifier.verify(token), { code: 'revoked' });
    }
    for (const token of oldRefreshTokens) {
      const { status, body } = await second.refresh(token);
      assert.deepEqual([status, body['error']], [400, 'invalid_grant']);
    }
    assert.equal(oldRefreshTokens.length, 19);
    // And what was never revoked has lived through it.
    assert.ok(await verifier.verify(living['access_token']));
    assert.equal((await second.refresh(living['refresh_token'] ?? '')).status, 200);
  } finally {
    verifier.close();
  }
});
