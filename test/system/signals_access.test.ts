// Who may read the signals, and how many: strangers, readers with a client credential, and the internal port.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { AuthServerOptions } from '@latchkey/server';
import { type Answer, startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { openSignalStream, type SignalStream } from '../support/signal_stream.ts';

const paths = ['/auth/signals', '/auth/signals/snapshot'];
const jwksPath = '/auth/.well-known/jwks.json';

const statusOf = async (url: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url, { headers });
  await response.body?.cancel();
  return response.status;
};

/** The Authorization header of a new client. */
async function credentialOf(server: TestAuthServer): Promise<Record<string, string>> {
  const { body } = await server.operator('POST', '/auth/admin/clients', { name: 'gateway' });
  return { authorization: `Basic ${Buffer.from(`${body.id}:${body.secret}`).toString('base64')}` };
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end; await pause(10))
    if (await condition()) return;
  assert.fail('waited in vain');
}

async function withServer(
  options: Partial<AuthServerOptions>,
  use: (
    server: TestAuthServer,
    open: (headers?: Record<string, string>) => Promise<SignalStream>,
  ) => Promise<void>,
): Promise<void> {
  const server = await startAuthServer(options);
  const streams: SignalStream[] = [];
  try {
    await use(server, async (headers) => {
      const stream = await openSignalStream(server.url, headers);
      streams.push(stream);
      return stream;
    });
  } finally {
    for (const stream of streams) stream.close();
    await server.close();
  }
}

let server: TestAuthServer;
let credential: Record<string, string>;
before(async () => {
  server = await startAuthServer();
  credential = await credentialOf(server);
});
after(() => server.close());

test('public: a credential is not needed, but a wrong one is not a stranger’s, and a strange instance is 400', async () => {
  const wrong = { authorization: `Basic ${Buffer.from('cl_x:wrong').toString('base64')}` };
  for (const path of paths) {
    assert.equal(await statusOf(server.url + path), 200, path);
    assert.equal(await statusOf(server.url + path, credential), 200, path);
    assert.equal(await statusOf(server.url + path, wrong), 401, path);
    assert.equal(await statusOf(server.internalUrl + path), 404, path);
  }
  for (const instance of ['short', 'x'.repeat(65), 'with a space', 'dots.are.not'])
    assert.equal(
      await statusOf(`${server.url}/auth/signals`, { ...credential, 'latchkey-instance': instance }),
      400,
    );
  const good = await statusOf(`${server.url}/auth/signals`, {
    ...credential,
    'latchkey-instance': 'instance-1',
  });
  assert.equal(good, 200);
});

test('registered: strangers are 401 at both, and nothing is left to shared caches', () =>
  withServer({ signals: { access: 'registered' } }, async (closed) => {
    const own = await credentialOf(closed);
    for (const path of paths) {
      const answer = await closed.call('GET', path);
      assert.deepEqual([answer.status, answer.body.error], [401, 'invalid_client'], path);
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Basic /);
      assert.equal((await closed.call('GET', path, { token: closed.adminToken })).status, 401, path);
      assert.equal(await statusOf(closed.url + path, own), 200, path);
    }
    const snapshot = await closed.call('GET', '/auth/signals/snapshot', { headers: own });
    assert.equal(snapshot.headers.get('cache-control'), 'private, max-age=1');
  }));

test('internal: 404 at the public port, however it is spelled; served at the internal one, the keys too', () =>
  withServer({ signals: { access: 'internal' } }, async (inside) => {
    const everywhere = [...paths, '/auth/signals/applied'];
    const unknown = (await inside.call('GET', '/auth/nothing')).body;
    for (const path of [...everywhere, '/auth/signal%73', '/auth/signals/snapsho%74', '/auth/signals?x=1']) {
      const { status, body } = await inside.call(path.endsWith('applied') ? 'POST' : 'GET', path);
      assert.deepEqual(
        [status, body.error, body.error_description],
        [404, unknown.error, unknown.error_description],
        path,
      );
    }
    assert.equal((await inside.call('HEAD', '/auth/signals/snapshot')).status, 404);
    for (const path of [...paths, jwksPath])
      assert.equal(await statusOf(inside.internalUrl + path), 200, path);
    // What else the public port serves is not there.
    for (const path of ['/auth/me', '/auth/login', '/auth/admin/users', '/auth/openapi.json'])
      assert.equal(await statusOf(inside.internalUrl + path), 404, path);
    assert.equal(await statusOf(`${inside.internalUrl}/readyz`), 200);
    assert.equal(await statusOf(inside.url + jwksPath), 200);
    assert.equal((await inside.operator('GET', '/auth/signals/snapshot')).status, 200);
    const stream = await openSignalStream(inside.internalUrl);
    await stream.until((events) => events.length > 0);
    stream.close();
  }));

test('streams of one address are bounded, and a place is free again when a reader leaves', () =>
  withServer({ limits: { streamsPerAddress: 3 } }, async (small, open) => {
    const readers = [await open(), await open(), await open(), await open()];
    assert.deepEqual(
      readers.map(({ status }) => status),
      [200, 200, 200, 429],
    );
    assert.equal(readers[3]?.headers.get('retry-after'), '5');
    const own = await credentialOf(small);
    assert.equal((await open(own)).status, 200);
    readers[0]?.close();
    await until(async () => (await open()).status === 200);
  }));

test('strangers leave a quarter of the places free, and the last of them makes room for a registered reader', () =>
  withServer({ limits: { streams: 4 } }, async (small, open) => {
    const own = await credentialOf(small);
    const strangers = [await open(), await open(), await open()];
    assert.equal((await open()).status, 429);
    const registered = [await open(own)];
    assert.ok(strangers.every(({ ended }) => !ended));
    registered.push(await open({ ...own, 'latchkey-instance': 'instance-2' }));
    await until(() => strangers[2]?.ended === true);
    assert.deepEqual(
      strangers.map(({ ended }) => ended),
      [false, false, true],
    );
    registered.push(await open(own), await open(own));
    assert.deepEqual(
      registered.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    await until(() => strangers.every(({ ended }) => ended));
    assert.equal((await open(own)).status, 429);
    registered[0]?.close();
    await until(async () => (await open(own)).status === 200);
  }));

test('a stranger who takes the snapshot without end is 429 with Retry-After; a registered reader is not held back', () =>
  withServer({ limits: { streamsPerAddress: 1 } }, async (small) => {
    const own = await credentialOf(small);
    const take = (headers: Record<string, string> = {}) =>
      small.call('GET', '/auth/signals/snapshot', { headers });
    let refused: Answer | undefined;
    for (let i = 0; i < 50 && refused === undefined; i += 1) {
      const answers = await Promise.all(Array.from({ length: 40 }, () => take()));
      refused = answers.find(({ status }) => status !== 200);
    }
    assert.deepEqual([refused?.status, refused?.body.error], [429, 'rate_limited']);
    assert.equal(refused?.headers.get('retry-after'), '1');
    for (let i = 0; i < 50; i += 1) assert.equal((await take(own)).status, 200);
    await until(async () => (await take()).status === 200);
  }));
