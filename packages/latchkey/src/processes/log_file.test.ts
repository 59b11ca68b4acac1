import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openLogFile } from './log_file.ts';

const large = `${'x'.repeat(17 * 1024 * 1024)}\n`;

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000 && !condition(); i += 1) await pause(5);
  assert.ok(condition());
}

test('a large file is moved aside; one that somebody removed does not end the program', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lk-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'logs', 'auth.log');
  const sizeIs = (path: string, size: number) => existsSync(path) && statSync(path).size === size;
  const log = openLogFile(file);
  log.write(large);
  await until(() => sizeIs(file, large.length));
  log.write('first\n');
  await until(() => sizeIs(file, 6) && sizeIs(`${file}.1`, large.length));

  log.write(large);
  await until(() => sizeIs(file, 6 + large.length));
  rmSync(file);
  log.write('second\n');
  await until(() => sizeIs(file, 7));
  assert.equal(readFileSync(file, 'utf8'), 'second\n');
});
