import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startUpstream, until } from '../test_support/stage.ts';
import { createPool, createUpstream } from './upstreams.ts';

const three = () => ['http://127.0.0.1:1', 'http://127.0.0.1:2', 'http://127.0.0.1:3'].map(createUpstream);

it('takes upstreams in turn', () => {
  const pool = createPool(three());
  const taken = Array.from({ length: 6 }, () => pool.pick(0)?.origin.at(-1));
  assert.deepEqual(taken.slice(0, 3).sort(), ['1', '2', '3']);
  assert.deepEqual(taken.slice(3), taken.slice(0, 3));
});

it('leaves one alone after failures in a row, longer each time, and tries it again', () => {
  const [first, ...others] = three() as [
    ReturnType<typeof createUpstream>,
    ...ReturnType<typeof createUpstream>[],
  ];
  const pool = createPool([first, ...others]);
  first.failed(0);
  assert.equal(first.downUntil, 0);
  first.failed(0);
  assert.equal(first.downUntil, 1_000);
  for (let index = 0; index < 6; index += 1) assert.notEqual(pool.pick(500), first);
  assert.ok([pool.pick(1_000), pool.pick(1_000), pool.pick(1_000)].includes(first));
  first.failed(1_000);
  assert.equal(first.downUntil, 3_000);
  first.succeeded();
  assert.equal(first.downUntil, 0);
});

it('tries the one that is back soonest when none is well, and none twice', () => {
  const [first, second] = three() as [ReturnType<typeof createUpstream>, ReturnType<typeof createUpstream>];
  const pool = createPool([first, second]);
  first.setHealth(false);
  second.failed(0);
  second.failed(0);
  assert.equal(pool.pick(1), second);
  assert.equal(pool.pick(1, [second]), first);
  assert.equal(pool.pick(1, [first, second]), undefined);
});

it('keeps a connection for a while, drops it when idle, and never one that waits for an answer', async (t) => {
  const server = await startUpstream((request, response) => {
    if (request.url === '/slow') setTimeout(() => response.end('late'), 300);
    else response.end('ok');
  });
  t.after(() => server.close());
  let connections = 0;
  server.server.on('connection', (socket) => {
    connections += 1;
    socket.on('close', () => {
      connections -= 1;
    });
  });
  const upstream = createUpstream(server.origin, 50);
  t.after(() => upstream.close());
  const get = (path: string) =>
    new Promise<void>((resolve, reject) => {
      const request = upstream.send('GET', path, ['Host', 'a']);
      request.on('error', reject);
      request.on('response', (response) => response.on('end', resolve).resume());
      request.end();
    });
  // Longer than the idle time: an answer that is awaited is not idleness.
  await get('/slow');
  await get('/');
  await until(() => connections === 0);
  await get('/');
  assert.equal(server.seen.length, 3);
});
