import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCookieSession, type KeyStorage } from './cookie_session.ts';

const answer = { access_token: 'x', expires_in: 300 };

function sharedStorage(): KeyStorage & { readonly entries: Map<string, string> } {
  const entries = new Map<string, string>();
  return {
    entries,
    getItem: (name) => entries.get(name) ?? null,
    setItem: (name, value) => void entries.set(name, value),
    removeItem: (name) => void entries.delete(name),
  };
}

test('all tabs send the same key until it is answered, then a new one', async () => {
  const storage = sharedStorage();
  const [left, right] = [createCookieSession('key', storage), createCookieSession('key', storage)];
  const first = await left.begin();
  assert.deepEqual(await right.begin(), first);
  assert.ok(first !== undefined);
  await left.settle(first, answer);
  assert.notDeepEqual(await right.begin(), first);
});

test('a slow answer does not take away the key of the next exchange', async () => {
  const storage = sharedStorage();
  const tab = createCookieSession('key', storage);
  const slow = await tab.begin();
  assert.ok(slow !== undefined);
  await tab.settle(slow, answer);
  const next = await tab.begin();
  await tab.settle(slow, answer);
  await tab.forget(slow);
  assert.deepEqual(await tab.begin(), next);
});

test('a key that somebody has tampered with is replaced', async () => {
  const storage = sharedStorage();
  storage.setItem('key', 'bad key\r\n');
  const begun = await createCookieSession('key', storage).begin();
  assert.match(begun?.key ?? '', /^[\w-]{16,255}$/);
});
