// The hashing process, the real one: answers, the bounded queue, and what happens when it dies.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { AuthError } from '../errors.ts';
import { createHasher, type HasherOptions } from './hasher.ts';

const parameters = { memory: 19_456, iterations: 2, parallelism: 1 };
const open: { close(): void }[] = [];
after(() => {
  for (const hasher of open) hasher.close();
});

function hasherWith(options: Partial<HasherOptions> = {}) {
  const hasher = createHasher({ ...parameters, queue: 100, ...options });
  open.push(hasher);
  return hasher;
}

const isUnavailable = (error: unknown) =>
  error instanceof AuthError && error.code === 'unavailable' && (error.retryAfter ?? 0) > 0;

test('argon2id in the PHC form, salted, that only its own password matches', async () => {
  const hasher = hasherWith();
  const [first, second] = await Promise.all([hasher.hash('a quiet brook'), hasher.hash('a quiet brook')]);
  assert.match(first ?? '', /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.notEqual(first, second);
  assert.deepEqual(await hasher.verify(first, 'a quiet brook'), { matches: true, outdated: false });
  assert.equal((await hasher.verify(first, 'a quiet brooK')).matches, false);
});

test('an unknown user matches nothing, not even the password the stand-in might have', async () => {
  const hasher = hasherWith();
  for (const password of ['', 'password', '\0'])
    assert.deepEqual(await hasher.verify(undefined, password), { matches: false, outdated: false });
});

test('every character counts: NUL, emoji, the 73rd byte, the last of a thousand', async () => {
  const hasher = hasherWith();
  const pairs = [
    ['before\0after', 'before\0other'],
    ['before\0after', 'before'],
    [`${'x'.repeat(72)}A`, `${'x'.repeat(72)}B`],
    [`${'🔑'.repeat(1000)}A`, `${'🔑'.repeat(1000)}B`],
    ['trailing ', 'trailing'],
  ];
  for (const [password = '', other = ''] of pairs) {
    const hash = await hasher.hash(password);
    assert.equal((await hasher.verify(hash, password)).matches, true);
    assert.equal((await hasher.verify(hash, other)).matches, false, JSON.stringify(other.slice(-8)));
  }
});

test('a hash of other parameters still matches, and is called outdated', async () => {
  const hash = await hasherWith().hash('a quiet brook');
  const stronger = hasherWith({ iterations: 3 });
  assert.deepEqual(await stronger.verify(hash, 'a quiet brook'), { matches: true, outdated: true });
  assert.deepEqual(await stronger.verify(hash, 'another'), { matches: false, outdated: false });
});

test('a full queue refuses at once, and what waits is still done', async () => {
  const hasher = hasherWith({ queue: 2 });
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => hasher.hash('a quiet brook')));
  const refused = results.filter((result) => result.status === 'rejected');
  assert.ok(refused.length > 0 && refused.length < 20);
  for (const { reason } of refused) assert.ok(isUnavailable(reason));
  assert.match(await hasher.hash('a quiet brook'), /^\$argon2id/);
});

test('killed while it works, the process comes back: work in flight gets 503, what waits is done', async () => {
  const hasher = hasherWith();
  await hasher.hash('a quiet brook');
  const work = Array.from({ length: 12 }, () => hasher.hash('a quiet brook'));
  process.kill(hasher.pid ?? 0, 'SIGKILL');
  const results = await Promise.allSettled(work);
  for (const result of results) {
    if (result.status === 'rejected') assert.ok(isUnavailable(result.reason));
  }
  assert.ok(results.some((result) => result.status === 'fulfilled'));
  assert.match(await hasher.hash('a quiet brook'), /^\$argon2id/);
});

test('closed, nothing is left hanging and the process ends', async () => {
  const hasher = hasherWith();
  await hasher.hash('a quiet brook');
  const pid = hasher.pid ?? 0;
  const work = Promise.allSettled(Array.from({ length: 8 }, () => hasher.hash('a quiet brook')));
  hasher.close();
  for (const result of await work) assert.ok(result.status === 'rejected' && isUnavailable(result.reason));
  await assert.rejects(hasher.hash('a quiet brook'), isUnavailable);
  for (let i = 0; i < 500 && isRunning(pid); i += 1) await pause(10);
  assert.equal(isRunning(pid), false);
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
