import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { commandLinePage, pageFile } from './document.ts';

test('docs/cli.md is what the commands say of themselves', async () => {
  const hint = 'node packages/latchkey/src/commands/document.ts writes it again';
  assert.equal(readFileSync(pageFile, 'utf8'), await commandLinePage(), hint);
});
