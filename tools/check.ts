// `npm run check`: formatting and lint, types, and who may import whom. Every check runs, also when one fails.
import { spawnSync } from 'node:child_process';
import { checkArchitecture } from './architecture.ts';
import { checkThreats } from './threats.ts';

const failures: string[] = [];

function run(name: string, command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { stdio: 'inherit' });
  if (result.status !== 0) failures.push(name);
}

run('lint', 'node_modules/.bin/biome', ['check', '--error-on-warnings', '.']);
run('types', 'node_modules/.bin/tsc', ['--project', 'tsconfig.json']);

const broken = checkArchitecture();
for (const line of broken) console.error(`architecture: ${line}`);
if (broken.length > 0) failures.push('architecture');

const stale = checkThreats();
for (const line of stale) console.error(`docs: ${line}`);
if (stale.length > 0) failures.push('docs');

if (failures.length > 0) {
  console.error(`check: failed: ${failures.join(', ')}`);
  process.exit(1);
}
console.log('check: lint, types and architecture are clean');
