import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DataDirLocked, lockDataDir } from './data_dir.ts';

const parent = mkdtempSync(join(tmpdir(), 'lk-lock-'));
after(() => rmSync(parent, { recursive: true, force: true }));
const module = JSON.stringify(join(import.meta.dirname, 'data_dir.ts'));
const takeIt = (directory: string, then: string) =>
  `import(${module}).then(({ lockDataDir }) => { globalThis.lock = lockDataDir(${JSON.stringify(directory)}); ${then} })`;

test('the directory is made for its owner alone', () => {
  const directory = join(parent, 'made', 'deep');
  lockDataDir(directory).release();
  assert.equal(statSync(directory).mode & 0o777, 0o700);
});

test('one holder in one process, and free again when released', () => {
  const directory = join(parent, 'twice');
  const lock = lockDataDir(directory);
  assert.throws(
    () => lockDataDir(directory),
    (error) => error instanceof DataDirLocked && error.pid === process.pid && error.dataDir === directory,
  );
  lock.release();
  lockDataDir(directory).release();
});

test('one holder among processes; SIGKILL frees it', async () => {
  const directory = join(parent, 'killed');
  const holder = spawn(
    process.execPath,
    ['-e', takeIt(directory, 'console.log("held"); setInterval(() => {}, 1000)')],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(holder.stdout, 'data');
  assert.throws(
    () => lockDataDir(directory),
    (error) => error instanceof DataDirLocked && error.pid === holder.pid,
  );
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const lock = lockDataDir(directory);
  const outcome = execFileSync(
    process.execPath,
    ['-e', `${takeIt(directory, 'console.log("held")')}.catch((error) => console.log(error.name))`],
    { encoding: 'utf8' },
  );
  assert.equal(outcome.trim(), 'DataDirLocked');
  lock.release();
});

test('a place where no directory can be made is not called locked', () => {
  const file = join(parent, 'a-file');
  writeFileSync(file, '');
  assert.throws(
    () => lockDataDir(join(file, 'below')),
    (error) => !(error instanceof DataDirLocked),
  );
});
