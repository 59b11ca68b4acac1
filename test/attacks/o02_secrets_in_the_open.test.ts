// O02: secrets in logs, errors, metrics, URLs, the database file (ASVS 14.2.1, 16.2.5). A scenario in which every kind of secret
// is used, misused and mistyped; afterwards none of them is found anywhere but in the answer that was to give it out.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { adminPassword, testIssuer } from '../support/auth_server.ts';
import { rowsOf } from '../support/database_file.ts';
import { type SpawnedAuth, spawnAuth } from '../support/spawned_auth.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'lk-'));
let auth: SpawnedAuth;
before(async () => {
  auth = await spawnAuth({ dataDir, logLevel: 'debug', refreshGrace: 0, registration: true });
});
after(async () => {
  await auth.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const canaries = {
  password: 'canary.password.of-ada-1',
  wrong: 'canary.password.wrong-2',
  next: 'canary.password.next-3',
  weak: 'canary-weak-4',
  asUsername: 'canary.password.as-name-5',
  registered: 'canary.password.registered-6',
  clientSecret: 'cls_canary7canary7canary7canary7canary7canary7x',
  forged: 'eyJjYW5hcnkiOjh9.eyJjYW5hcnkiOjh9.Y2FuYXJ5OA',
  idempotencyKey: 'canary-idempotency-key-9',
};
const secrets = new Set<string>([adminPassword, ...Object.values(canaries)]);
/** Answers that are not there to give out tokens. */
const answers: string[] = [];

interface Call {
  readonly token?: string;
  readonly body?: unknown;
  readonly form?: Record<string, string>;
  readonly headers?: Record<string, string>;
}

async function call(method: string, path: string, { token, body, form, headers = {} }: Call = {}) {
  const response = await fetch(`${auth.address}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
  });
  const text = await response.text();
  const answer = (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, string>;
  const given = ['access_token', 'refresh_token', 'device', 'secret'].filter((name) => name in answer);
  for (const name of given) secrets.add(answer[name] ?? '');
  if (given.length === 0) answers.push(text, JSON.stringify([...response.headers]));
  return { status: response.status, answer };
}

const login = async (username: string, password: string, more: object = {}) =>
  (await call('POST', '/auth/login', { body: { username, password, ...more } })).answer;
const refresh = (token = '', headers: Record<string, string> = {}) =>
  call('POST', '/auth/token', { form: { grant_type: 'refresh_token', refresh_token: token }, headers });

async function scenario(): Promise<void> {
  const admin = { token: (await login('admin', adminPassword, { audience: testIssuer })).access_token ?? '' };
  const { answer: user } = await call('POST', '/auth/admin/users', {
    ...admin,
    body: { username: 'ada', password: canaries.password },
  });
  await call('POST', '/auth/register', { body: { username: 'bob', password: canaries.registered } });
  const weak = { username: canaries.weak, password: canaries.weak };
  await call('POST', '/auth/admin/users', { ...admin, body: weak });
  const first = await login('ada', canaries.password);
  await login('ada', canaries.wrong, { device: first.device });
  await login(canaries.asUsername, 'x');
  await login(`${canaries.asUsername}@example.org`, 'x');
  const second = (await refresh(first.refresh_token, { 'idempotency-key': canaries.idempotencyKey })).answer;
  await refresh(second.refresh_token);
  // Theft: the old token comes back.
  assert.equal((await refresh(first.refresh_token)).answer['reason'], 'reuse');
  await refresh(`${second.refresh_token}x`);
  for (const token of [canaries.forged, first.access_token ?? '', `${first.access_token}x`])
    await call('GET', '/auth/me', { token });
  const third = await login('ada', canaries.password);
  const change = { current_password: canaries.password, new_password: canaries.next };
  await call('POST', '/auth/me/password', { token: third.access_token ?? '', body: change });
  const client = (await call('POST', '/auth/admin/clients', { ...admin, body: { name: 'Back end' } })).answer;
  for (const secret of [client['secret'], canaries.clientSecret]) {
    const basic = Buffer.from(`${client['id']}:${secret}`).toString('base64');
    secrets.add(basic);
    const headers = { authorization: `Basic ${basic}` };
    await call('POST', '/auth/introspect', { headers, form: { token: third.access_token ?? '' } });
    await call('POST', '/auth/revoke', { headers, form: { token: third.refresh_token ?? '' } });
  }
  await call('PUT', `/auth/admin/users/${user['id']}/password`, {
    ...admin,
    body: { password: canaries.weak },
  });
  await call('POST', '/auth/login', { body: { username: 'ada', password: [canaries.wrong] } });
  await call('POST', '/auth/login', {
    body: { username: 'ada', password: canaries.wrong, more: canaries.wrong },
  });
  for (const list of ['users', 'roles', 'sessions', 'keys', 'clients', 'audit'])
    assert.equal((await call('GET', `/auth/admin/${list}?limit=100`, admin)).status, 200);
  await call('POST', '/auth/admin/keys/rotate', admin);
}

/** The secret as it is, and as somebody may have written it down. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const forms = [secret, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('hex')];
  return [...forms, encodeURIComponent(secret), secret.toLowerCase(), JSON.stringify(secret).slice(1, -1)];
}

function assertClean(where: string, text: string): void {
  for (const secret of secrets)
    for (const form of formsOf(secret)) assert.ok(!text.includes(form), `${where} holds ${form}`);
}

test('no secret is in the log, the metrics, another answer, or any file of the data directory', async () => {
  await scenario();
  assert.ok(secrets.size > 15 && answers.length > 30);
  const metrics = await (await fetch(`${auth.internal}/metrics`)).text();
  assert.match(metrics, /latchkey_sign_ins_total\{outcome="invalid_credentials"\} [3-9]/);
  assertClean('the metrics', metrics);
  assertClean('an answer', answers.join('\n'));
  assert.match(auth.log(), /"msg":"token refused"/);
  assertClean('the log', auth.log());

  const master = readFileSync(join(dataDir, 'master.key'), 'utf8').trim();
  const files = readdirSync(dataDir).filter((name) => statSync(join(dataDir, name)).isFile());
  assert.ok(files.includes('latchkey.db') && files.includes('latchkey.db-wal'), files.join());
  for (const name of files) {
    const text = readFileSync(join(dataDir, name), 'latin1');
    assertClean(name, text);
    if (name !== 'master.key') assert.ok(!text.includes(master), `${name} holds the master key`);
    for (const plain of ['PRIVATE KEY', '"d":']) assert.ok(!text.includes(plain), `${name} holds ${plain}`);
  }
});

test('what is kept of passwords and keys is hashed or wrapped, and no answer shows even that', () => {
  const hashes = rowsOf(dataDir, 'SELECT password_hash AS kept FROM users');
  const keys = rowsOf(dataDir, 'SELECT private_key AS kept FROM signing_keys');
  const clients = rowsOf(dataDir, 'SELECT secret_hash AS kept FROM clients');
  const refreshKeys = rowsOf(dataDir, 'SELECT secret AS kept FROM refresh_keys');
  for (const { kept } of hashes) assert.match(String(kept), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  for (const { kept } of [...keys, ...refreshKeys]) assert.match(String(kept), /^w1\./);
  for (const { kept } of clients) assert.match(String(kept), /^[A-Za-z0-9_-]{43}$/);
  const all = [...hashes, ...keys, ...clients, ...refreshKeys];
  assert.ok(all.length >= 7);
  for (const { kept } of all) assert.ok(!answers.join('\n').includes(String(kept)));
});
