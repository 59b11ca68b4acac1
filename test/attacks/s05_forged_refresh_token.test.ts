// S05: refresh tokens guessed, forged, or made from a stolen database. They are computed with a key that the database holds
// only encrypted; a wrong one is refused before the database is asked, and writes nothing.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { adminPassword, startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { rowCounts, rowsOf } from '../support/database_file.ts';

let server: TestAuthServer;
before(async () => {
  server = await startAuthServer();
});
after(() => server.close());

/** A well-formed token under a key of our choice. */
function forge(sessionId: string, generation: number, keyId: number, secret: Buffer): string {
  const head = Buffer.alloc(22);
  head.set([1, keyId]);
  head.write(sessionId, 2, 16, 'base64url');
  head.writeUInt32BE(generation, 18);
  return `lkr_${Buffer.concat([head, createHmac('sha256', secret).update(head).digest()]).toString('base64url')}`;
}

test('every forged token is unknown, ends nothing and writes nothing', async () => {
  const session = await server.login('admin', adminPassword);
  const token = session.refresh_token;
  const stored = String(rowsOf(server.dataDir, 'SELECT secret FROM refresh_keys')[0]?.['secret']);
  const secrets = [
    randomBytes(32),
    Buffer.alloc(32),
    Buffer.alloc(0),
    Buffer.from(stored),
    Buffer.from(stored.slice(3), 'base64url'),
  ];
  const forged = [
    ...secrets.flatMap((secret) =>
      [0, 1].map((generation) => forge(session.session_id, generation, 0, secret)),
    ),
    forge(randomBytes(16).toString('base64url'), 0, 7, randomBytes(32)),
    ...[
      '',
      'x',
      'lkr_',
      `${token}A`,
      token.slice(0, -1),
      token.toUpperCase(),
      ` ${token}`,
      session.session_id,
      session.access_token.slice(0, 200),
    ],
    token.slice(0, 20) + (token[20] === 'A' ? 'B' : 'A') + token.slice(21),
  ];
  const before = rowCounts(server.dataDir);
  for (const candidate of forged) {
    const answer = await server.refresh(candidate);
    assert.deepEqual(
      [answer.status, answer.body.error, answer.body.reason],
      [400, 'invalid_grant', 'unknown'],
      candidate,
    );
    assert.equal(answer.headers.get('set-cookie'), null);
  }
  assert.deepEqual(rowCounts(server.dataDir), before);
  assert.equal((await server.refresh(token)).status, 200);
});

test('the data directory holds no refresh token, whole or in parts that matter', async () => {
  const session = await server.login('admin', adminPassword);
  const successor = await server.refresh(session.refresh_token);
  const files = readdirSync(server.dataDir).filter((name) => name.startsWith('latchkey.db'));
  assert.ok(files.length >= 2);
  const content = Buffer.concat(files.map((name) => readFileSync(join(server.dataDir, name))));
  assert.ok(content.includes(session.session_id), 'the session itself is there');
  for (const token of [session.refresh_token, successor.body.refresh_token]) {
    const mac = Buffer.from(token.slice(4), 'base64url').subarray(22);
    for (const secret of [token.slice(-40), mac, mac.toString('base64url').slice(1, -1), mac.toString('hex')])
      assert.equal(content.includes(secret), false);
  }
  for (const token of [session.access_token, successor.body.access_token])
    assert.equal(content.includes(token.split('.')[2] ?? ''), false);
});

test('what is no text at all is refused as a request, never a fault', async () => {
  for (const form of [
    'grant_type=refresh_token',
    'grant_type=refresh_token&refresh_token=',
    `grant_type=refresh_token&refresh_token=${'a'.repeat(60_000)}`,
    'grant_type=refresh_token&refresh_token=%00%ff',
    'refresh_token=x',
    '%',
  ])
    assert.equal((await server.call('POST', '/auth/token', { form })).status, 400, form.slice(0, 60));
});
