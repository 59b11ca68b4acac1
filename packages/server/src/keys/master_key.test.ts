import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createMasterKey, loadMasterKey, MasterKeyError } from './master_key.ts';

const directory = mkdtempSync(join(tmpdir(), 'lk-master-'));
after(() => rmSync(directory, { recursive: true }));
const key = createMasterKey(randomBytes(32));
const secret = Buffer.from('a private key');

test('what was wrapped is opened, and no two wrappings are alike', () => {
  assert.deepEqual(key.unwrap(key.wrap(secret, 'kid'), 'kid'), secret);
  assert.notEqual(key.wrap(secret, 'kid'), key.wrap(secret, 'kid'));
});

test('a ciphertext moved to another record, another key, and every changed byte are refused', () => {
  const wrapped = key.wrap(secret, 'kid');
  const bytes = Buffer.from(wrapped.slice(3), 'base64url');
  assert.throws(() => key.unwrap(wrapped, 'other'), MasterKeyError);
  assert.throws(() => createMasterKey(randomBytes(32)).unwrap(wrapped, 'kid'), MasterKeyError);
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => key.unwrap(`w1.${changed.toString('base64url')}`, 'kid'), MasterKeyError);
  }
});

test('malformed and cut ciphertexts are typed refusals', () => {
  for (const text of ['', 'w1.', 'w2.AAAA', key.wrap(secret, 'kid').slice(0, 30), 'plain text'])
    assert.throws(() => key.unwrap(text, 'kid'), MasterKeyError);
});

test('the file is made once, mode 0600, with 32 bytes', () => {
  const file = join(directory, 'made.key');
  const made = loadMasterKey({ file, mayCreate: true });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(Buffer.from(readFileSync(file, 'utf8').trim(), 'base64url').length, 32);
  const again = loadMasterKey({ file, mayCreate: false });
  assert.deepEqual(again.unwrap(made.wrap(secret, 'kid'), 'kid'), secret);
});

test('missing where a database exists, readable by others, too short: refused with what to do', () => {
  const file = join(directory, 'other.key');
  assert.throws(() => loadMasterKey({ file, mayCreate: false }), /is missing: restore it/);
  writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
  for (const mode of [0o640, 0o604, 0o660, 0o644]) {
    chmodSync(file, mode);
    assert.throws(() => loadMasterKey({ file, mayCreate: false }), /chmod 600/);
  }
  writeFileSync(file, 'secret');
  chmodSync(file, 0o600);
  assert.throws(
    () => loadMasterKey({ file, mayCreate: false }),
    (error) =>
      error instanceof MasterKeyError && /32 bytes/.test(error.message) && !/secret/.test(error.message),
  );
});
