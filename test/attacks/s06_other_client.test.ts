// S06: a refresh token is used by another client than the one it was given to. It is refused without a word, and the session
// of its rightful client is left alone (RFC 9700 §4.14.2, GHSA-pw9m-5jxm-xr6h).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adminPassword, startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { rowCounts } from '../support/database_file.ts';

let server: TestAuthServer;
const basics: string[] = [];
before(async () => {
  server = await startAuthServer();
  for (const name of ['records', 'billing']) {
    const client = await server.operator('POST', '/auth/admin/clients', {
      name,
      audiences: ['https://records.example'],
    });
    assert.equal(client.status, 201, client.text);
    basics.push(`Basic ${Buffer.from(`${client.body.id}:${client.body.secret}`).toString('base64')}`);
  }
});
after(() => server.close());

const signIn = (authorization?: string) =>
  server.call('POST', '/auth/login', {
    body: { username: 'admin', password: adminPassword },
    headers: authorization === undefined ? {} : { authorization },
  });

test('only the client that began a session refreshes it, and only when it proves itself', async () => {
  const [records = '', billing = ''] = basics;
  for (const [owner, others] of [
    [records, [billing, undefined]],
    [undefined, [records, billing]],
  ] as const) {
    const token = (await signIn(owner)).body.refresh_token;
    const before = rowCounts(server.dataDir);
    for (const other of others) {
      const answer = await server.refresh(token, other === undefined ? {} : { authorization: other });
      assert.deepEqual([answer.status, answer.body.reason], [400, 'unknown']);
    }
    assert.deepEqual(rowCounts(server.dataDir), before);
    assert.equal(
      (await server.refresh(token, owner === undefined ? {} : { authorization: owner })).status,
      200,
    );
  }
});

test('naming a client without proving it, or proving it wrongly, is refused before the token is looked at', async () => {
  const [records = ''] = basics;
  const id = Buffer.from(records.slice(6), 'base64').toString().split(':')[0] ?? '';
  const token = (await signIn(records)).body.refresh_token;
  const form = { grant_type: 'refresh_token', refresh_token: token, client_id: id };
  const wrong = `Basic ${Buffer.from(`${id}:${'A'.repeat(43)}`).toString('base64')}`;
  for (const headers of [{}, { authorization: wrong }]) {
    const answer = await server.call('POST', '/auth/token', { form, headers });
    assert.deepEqual([answer.status, answer.body.error], [401, 'invalid_client']);
  }
  assert.equal(
    (await server.call('POST', '/auth/token', { form, headers: { authorization: records } })).status,
    200,
  );
});

test('an audience that the client may not have is refused, and nothing advances', async () => {
  const token = (await signIn()).body.refresh_token;
  const form = { grant_type: 'refresh_token', refresh_token: token, audience: 'https://records.example' };
  const answer = await server.call('POST', '/auth/token', { form });
  assert.deepEqual([answer.status, answer.body.error], [400, 'invalid_target']);
  const [first, second] = [await server.refresh(token), await server.refresh(token)];
  assert.equal(first.body.refresh_token, second.body.refresh_token);
});
