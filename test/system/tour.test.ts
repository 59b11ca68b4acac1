// The tour is true: every shell block of docs/tour.md, run in order against a running hospital, answers the statuses that
// the page says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { makeFolder, removeFolder, startSystem } from './cli_run.ts';

const root = join(import.meta.dirname, '../..');

const missing = ['bash', 'curl'].filter((program) => spawnSync(program, ['--version']).error !== undefined);
const skip = missing.length > 0 && `needs ${missing.join(' and ')}`;

test('docs/tour.md answers what it says', { skip }, async () => {
  const page = readFileSync(join(root, 'docs/tour.md'), 'utf8');
  const blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].map((match) => match[1] ?? '').slice(1);
  const expected = blocks.flatMap((block) => [...block.matchAll(/^# → (\d{3})$/gm)].map((match) => match[1]));
  assert.ok(expected.length >= 12, 'the tour shows its statuses');

  const folder = makeFolder();
  const system = await startSystem(['--example', 'hospital'], { folder });
  try {
    const password = (name: string) =>
      system.facts.people?.find((person) => person.username === name)?.password;
    const script = blocks.join('\n').replaceAll('npm run --silent latchkey --', '"$NODE" "$BIN"');
    const run = spawnSync('bash', ['-c', script], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        ...process.env,
        NODE: process.execPath,
        BIN: join(root, 'packages/latchkey/bin/latchkey.mjs'),
        LATCHKEY: system.facts.public_url,
        LATCHKEY_DATA_DIR: join(folder, 'data'),
        DOCTOR_PASSWORD: password('dr.grey'),
        PATIENT_PASSWORD: password('ann.lee'),
      },
    });
    const statuses = run.stdout.split('\n').filter((line) => /^\d{3}$/.test(line));
    assert.deepEqual(statuses, expected, run.stderr);
    assert.match(run.stdout, /^gateway +[\w-]{8} +latchkey-gateway\/\S+ +since /m);
    const [, applied = ''] = /^applied by (.*)$/m.exec(run.stdout) ?? [];
    for (const name of ['appointments', 'gateway', 'records']) assert.ok(applied.includes(name), run.stdout);
  } finally {
    await system.stop();
    removeFolder(folder);
  }
});
