// Installs the peers from their own lock file, on first use and whenever that file has changed. They stay out of the
// workspaces, so `npm install` of this repository never fetches them, and no install script of theirs is run.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const home = join(import.meta.dirname, '..', 'peers');

/** @throws with the command to try by hand when npm fails. */
export function installPeers(): void {
  const wanted = readFileSync(join(home, 'package-lock.json'), 'utf8');
  const stamp = join(home, 'node_modules', '.latchkey-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('bench: installing the peers to compare with (the first time only) …');
  const npm = process.env['npm_execpath'];
  const [command, ...first] = npm?.endsWith('js') ? [process.execPath, npm] : ['npm'];
  const result = spawnSync(command ?? 'npm', [...first, 'ci', '--ignore-scripts', '--workspaces=false'], {
    cwd: home,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    throw new Error(
      'bench: the peers could not be installed\nhint: cd bench/peers && npm ci --ignore-scripts',
    );
  }
  writeFileSync(stamp, wanted);
}
