// The door to every command of this repository: installs what package-lock.json asks for (once), finds a Node.js
// that is new enough, and runs the task on it. Plain JavaScript, because the Node.js that npm runs it on may be
// as old as 20 and does not read TypeScript.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');

const tasks = {
  start: ['packages/latchkey/bin/latchkey.mjs', 'start', '--example', 'hospital'],
  latchkey: ['packages/latchkey/bin/latchkey.mjs'],
  test: ['tools/test.ts'],
  check: ['tools/check.ts'],
  bench: ['bench/run.ts'],
  prove: ['bench/prove.ts'],
};

const [task, ...rest] = process.argv.slice(2);
const command = tasks[task];
if (command === undefined) {
  console.error(`unknown task ${task ?? ''}\nhint: one of ${Object.keys(tasks).join(', ')}`);
  process.exit(2);
}

installOnce();
const node = findNode();
const child = spawn(node, [join(root, command[0]), ...command.slice(1), ...rest], {
  // The channel is a lifeline: when this process is killed, what it started notices and stops.
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  env: { ...process.env, PATH: dirname(node) + delimiter + process.env.PATH },
});
// npm and the terminal signal the whole group; a lone `kill` reaches only this process, so it is passed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal === null ? code : 128 + constants.signals[signal]));

/** Installs from the lock file, unless exactly that was already done here. */
function installOnce() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(`${process.platform} ${process.arch}`)
    .digest('hex');
  const stamp = join(modules, '.latchkey-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stderr.write('latchkey: installing dependencies (the first time only) …\n');
  const npm = process.env.npm_execpath;
  const run = npm?.endsWith('js') ? [process.execPath, [npm]] : ['npm', []];
  const result = spawnSync(run[0], [...run[1], 'ci', '--ignore-scripts', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32' && run[0] === 'npm',
  });
  if (result.status !== 0) {
    console.error('latchkey: npm could not install the dependencies\nhint: npm ci --ignore-scripts');
    process.exit(1);
  }
  mkdirSync(modules, { recursive: true });
  writeFileSync(stamp, wanted);
}

/** This Node.js where it is new enough, otherwise the one that the lock file pins. */
function findNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 15)) return process.execPath;
  const bundled = join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  if (existsSync(bundled)) return bundled;
  console.error(
    `latchkey: Node.js ${process.versions.node} is too old, and none is packaged for ${process.platform} ${process.arch}\n` +
      'hint: install Node.js 24.15 or newer',
  );
  process.exit(1);
}
