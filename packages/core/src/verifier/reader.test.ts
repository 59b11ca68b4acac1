import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createReader, defaultAgent } from './reader.ts';
import { version } from './version.ts';

test('the version is that of the package', () => {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  assert.equal(version, (JSON.parse(file) as { version: string }).version);
  assert.equal(defaultAgent, `latchkey-core/${version}`);
});

test('a stranger shows its agent alone; a registered reader its credential, in the encoding of RFC 6749 §2.3.1', () => {
  const stranger = createReader('a', undefined);
  assert.deepEqual(stranger.signalHeaders, { 'user-agent': 'a' });
  const { headers, signalHeaders, instance } = createReader('a', { id: 'c:1', secret: 's p+%' });
  assert.deepEqual(headers, { 'user-agent': 'a' });
  const basic = Buffer.from('c%3A1:s+p%2B%25').toString('base64');
  assert.deepEqual(signalHeaders, {
    ...headers,
    authorization: `Basic ${basic}`,
    'latchkey-instance': instance,
  });
  assert.match(instance, /^[A-Za-z0-9_-]{22}$/);
  assert.notEqual(instance, stranger.instance);
});
