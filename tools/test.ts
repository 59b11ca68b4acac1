// `npm test`: every test that a bare machine can run. `npm test -- NAME…` runs only the files whose path contains one
// of the names. Files run side by side, one more than there are cores, since most of them wait for processes; each one owns
// its ports and folders.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const patterns = [
  'packages/*/src/**/*.test.ts',
  'examples/*/**/*.test.ts',
  'tools/**/*.test.ts',
  'test/**/*.test.ts',
];
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const files = patterns
  .flatMap((pattern) => globSync(pattern, { exclude: (name) => name === 'node_modules' || name === 'dist' }))
  .filter((file) => wanted.length === 0 || wanted.some((name) => file.includes(name)));

if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(', ')}`);
  process.exit(1);
}
const result = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-reporter=./tools/test_reporter.ts',
    `--test-concurrency=${availableParallelism() + 1}`,
    ...options,
    ...files,
  ],
  { stdio: 'inherit', env: { ...process.env, NODE_ENV: 'test' } },
);
process.exit(result.status ?? 1);
