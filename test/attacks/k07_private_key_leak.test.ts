// K07: private keys and the master key in files, logs, answers, metrics. They are looked for as they are, in base64, base64url,
// hexadecimal and PEM, in everything that the server writes or says while it works and while it fails.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { importPrivateKey } from '@latchkey/core';
import { createMasterKey } from '../../packages/server/src/keys/master_key.ts';
import { adminPassword } from '../support/auth_server.ts';
import { rowsOf } from '../support/database_file.ts';
import { type SpawnedAuth, spawnAuth } from '../support/spawned_auth.ts';

const parent = mkdtempSync(join(tmpdir(), 'lk-k07-'));
const dataDir = join(parent, 'data');
let server: SpawnedAuth;
let secrets: Readonly<Record<string, Buffer>>;

before(async () => {
  server = await spawnAuth({ dataDir, logLevel: 'debug' });
  const master = Buffer.from(readFileSync(join(dataDir, 'master.key'), 'utf8').trim(), 'base64url');
  const key = createMasterKey(master);
  secrets = { master };
  for (const row of rowsOf(dataDir, 'SELECT kid, private_key FROM signing_keys')) {
    const pkcs8 = key.unwrap(String(row['private_key']), String(row['kid']));
    const jwk = importPrivateKey(pkcs8, 'ES256').key.export({ format: 'jwk' });
    secrets = { ...secrets, [`${row['kid']} d`]: Buffer.from(jwk.d ?? '', 'base64url') };
  }
  for (const row of rowsOf(dataDir, 'SELECT id, secret FROM refresh_keys'))
    secrets = { ...secrets, refresh: key.unwrap(String(row['secret']), `refresh key ${row['id']}`) };
});
after(async () => {
  await server.stop();
  rmSync(parent, { recursive: true });
});

/** The spellings of a secret; base64 without what depends on where in a longer text it begins. */
function spellings(secret: Buffer): (string | Buffer)[] {
  const shifted = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), secret])
      .toString('base64')
      .slice(4, 40),
  );
  return [secret, secret.toString('hex'), secret.toString('base64url'), ...shifted];
}

function assertNowhere(where: string, content: string | Buffer): void {
  const bytes = Buffer.from(content);
  for (const [name, secret] of Object.entries(secrets)) {
    for (const spelling of spellings(secret)) assert.ok(!bytes.includes(spelling), `${name} is in ${where}`);
  }
  assert.ok(!bytes.includes('PRIVATE KEY'), `a PEM is in ${where}`);
}

const files = (directory: string) =>
  readdirSync(directory).filter((name) => !/\.sock$|^master\.key$/.test(name));

async function say(method: string, path: string, body?: unknown, on = server.address): Promise<string> {
  const answer = await fetch(`${on}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return `${JSON.stringify([...answer.headers])} ${await answer.text()}`;
}

test('the secrets that are looked for are the real ones, and would be found', () => {
  assert.ok(Object.keys(secrets).length >= 4);
  const file = readFileSync(join(dataDir, 'master.key'));
  assert.throws(() => assertNowhere('its own file', file), /master is in/);
});

test('not in the database, its log, a copy of them, or any other file', async () => {
  await say('POST', '/auth/login', { username: 'admin', password: adminPassword });
  assert.ok(files(dataDir).includes('latchkey.db-wal'));
  for (const name of files(dataDir)) {
    assertNowhere(name, readFileSync(join(dataDir, name)));
    copyFileSync(join(dataDir, name), join(parent, `copy-of-${name}`));
  }
  for (const row of rowsOf(dataDir, 'SELECT * FROM signing_keys'))
    assertNowhere('a key row', JSON.stringify(row));
});

test('not in answers, refusals, metrics or the log', async () => {
  const said = [
    await say('GET', '/auth/.well-known/jwks.json'),
    await say('GET', '/auth/.well-known/openid-configuration'),
    await say('GET', '/auth/signals/snapshot'),
    await say('GET', '/auth/openapi.json'),
    await say('GET', '/auth/admin/keys'),
    await say('POST', '/auth/login', { username: 'admin', password: 'wrong' }),
    await say('POST', '/auth/login', { username: 1 }),
    await say('GET', '/auth/../master.key'),
    await say('GET', '/auth/%2e%2e/latchkey.db'),
    await say('GET', '/metrics', undefined, server.internal),
    await say('GET', '/readyz', undefined, server.internal),
  ];
  for (const [i, text] of said.entries()) assertNowhere(`answer ${i}`, text);
  assertNowhere('the log', server.log());
});

test('not in the refusal of a second start', async () => {
  const second = await spawnAuth({ dataDir });
  assert.equal(second.refused, 'DataDirLocked');
  assertNowhere('the refusal', second.message + second.log());
});
