// K08: the master key is lost, wrong, cut or readable by others. The server does not start, says what to do, makes no new key
// over encrypted data, and leaves nothing running or locked behind; with the right key it starts again.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type AuthServerOptions, createAuthServer, MasterKeyError } from '@latchkey/server';
import { adminPassword, startAuthServer, testIssuer } from '../support/auth_server.ts';

const parent = mkdtempSync(join(tmpdir(), 'lk-k08-'));
const dataDir = join(parent, 'data');
const file = join(dataDir, 'master.key');
let text = '';
before(async () => {
  const server = await startAuthServer({ dataDir });
  await server.close();
  text = readFileSync(file, 'utf8');
});
after(() => rmSync(parent, { recursive: true, force: true }));

/** Starts, and ends at once where it does start. */
async function start(options: Partial<AuthServerOptions> = {}): Promise<void> {
  const server = await createAuthServer({
    issuer: testIssuer,
    dataDir,
    socketPath: null,
    logLevel: 'silent',
    ...options,
  });
  await server.close();
}

const bytes = randomBytes(32).toString('base64url');
const faults: readonly [string, RegExp, () => unknown, Partial<AuthServerOptions>?][] = [
  ['lost', /is missing: restore it/, () => rmSync(file)],
  ['another one', /not the one this database was made with/, () => writeFileSync(file, bytes)],
  ['another one in the settings', /not the one/, () => {}, { masterKey: bytes }],
  [
    'one bit off',
    /not the one/,
    () => writeFileSync(file, (text.startsWith('A') ? 'B' : 'A') + text.slice(1)),
  ],
  ['empty', /32 bytes/, () => writeFileSync(file, '')],
  ['cut', /32 bytes/, () => writeFileSync(file, text.slice(0, 20))],
  ['readable by others', /chmod 600/, () => chmodSync(file, 0o644)],
  ['readable by the group', /chmod 600/, () => chmodSync(file, 0o640)],
];

for (const [what, message, spoil, options] of faults) {
  test(`${what}: refused with what to do, and the right key starts afterwards`, async () => {
    spoil();
    await assert.rejects(start(options), (error) => {
      assert.ok(error instanceof MasterKeyError, String(error));
      assert.match(error.message, message);
      assert.ok(!error.message.includes(text.trim()) && !error.message.includes(bytes));
      return true;
    });
    if (what === 'lost') assert.equal(existsSync(file), false, 'no new key over encrypted data');
    rmSync(file, { force: true });
    writeFileSync(file, text, { mode: 0o600 });
    const server = await startAuthServer({ dataDir });
    await server.login('admin', adminPassword);
    await server.close();
  });
}

test('given in the settings, it needs no file', async () => {
  const given = join(parent, 'given');
  const server = await startAuthServer({ dataDir: given, masterKey: bytes });
  await server.close();
  assert.equal(existsSync(join(given, 'master.key')), false);
  await assert.rejects(start({ dataDir: given }), /is missing/);
});
