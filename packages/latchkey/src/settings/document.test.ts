import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { configurationPage, pageFile } from './document.ts';
import { settings } from './table.ts';

test('docs/configuration.md is what the table of settings says', () => {
  const hint = 'node packages/latchkey/src/settings/document.ts writes it again';
  assert.equal(readFileSync(pageFile, 'utf8'), configurationPage(), hint);
});

test('the variables of the design are all there', () => {
  const variables = new Set(settings.map(({ env }) => env));
  const promised =
    'PORT AUTH_PORT DATA_DIR DATABASE_URL PUBLIC_URL ADMIN_USERNAME ADMIN_PASSWORD MASTER_KEY_FILE INTERNAL_PORT AUDIENCE REFRESH_GRACE';
  for (const name of promised.split(' ')) assert.ok(variables.has(`LATCHKEY_${name}`), name);
  assert.equal(new Set(settings.map(({ name }) => name)).size, settings.length);
});
