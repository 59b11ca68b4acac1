// Forwarding, on real sockets: bytes both ways, what is tried again and what is not, and who is told when one side goes away.
import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { it, type TestContext } from 'node:test';
import { rawClient, sendOnce } from '../test_support/raw_client.ts';
import {
  startGateway,
  startUpstream,
  startWebSocketUpstream,
  type Upstream,
  until,
} from '../test_support/stage.ts';
import type { GatewayOptions, Route } from './index.ts';

async function gatewayTo(
  t: TestContext,
  origins: readonly string[],
  route: Partial<Route> = {},
  options: Partial<GatewayOptions> = {},
) {
  const gateway = await startGateway({
    ...options,
    routes: [{ prefix: '/', upstreams: origins, access: 'public', ...route }],
  });
  t.after(() => gateway.close());
  return gateway;
}

async function upstreamFor(t: TestContext, handler?: Parameters<typeof startUpstream>[0]): Promise<Upstream> {
  const upstream = await startUpstream(handler);
  t.after(() => upstream.close());
  return upstream;
}

/** A TCP server; what it does with each connection is up to the test. */
async function tcpServer(
  t: TestContext,
  onConnection: (socket: Socket, index: number) => void,
): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onConnection(socket, sockets.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An address where nobody listens. */
async function deadOrigin(): Promise<string> {
  const upstream = await startUpstream();
  await upstream.close();
  return upstream.origin;
}

it('streams both ways without holding the body', async (t) => {
  const upstream = await upstreamFor(t, (request, response) => {
    response.writeHead(200);
    request.pipe(response);
  });
  const gateway = await gatewayTo(t, [upstream.origin]);
  const client = await rawClient(gateway.port);
  let received = '';
  client.socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
  await until(() => received.includes('one'));
  client.socket.write('3\r\ntwo\r\n');
  await until(() => received.includes('two'));
  client.socket.write('0\r\n\r\n');
  await until(() => received.endsWith('0\r\n\r\n'));
  client.close();
});

it('carries large bodies unchanged', async (t) => {
  const upstream = await upstreamFor(t, (request, response) => request.pipe(response));
  const gateway = await gatewayTo(t, [upstream.origin], { bodyLimit: 8_000_000 });
  const body = Buffer.alloc(5_000_000, 'abcdefghijk');
  const response = await fetch(gateway.url, { method: 'POST', body });
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(body));
});

it('gives an idempotent request that was not sent to the next upstream', async (t) => {
  const upstream = await upstreamFor(t);
  const gateway = await gatewayTo(t, [await deadOrigin(), upstream.origin]);
  for (const method of ['GET', 'PUT', 'DELETE', 'GET'])
    assert.equal(
      (await fetch(gateway.url, { method, ...(method === 'PUT' ? { body: 'x' } : {}) })).status,
      200,
    );
  assert.equal(upstream.seen.length, 4);
});

it('sends nothing a second time that may have arrived', async (t) => {
  const requests: string[] = [];
  const origin = await tcpServer(t, (socket) => {
    socket.on('data', (chunk) => {
      requests.push(chunk.toString('latin1').slice(0, 4));
      socket.destroy();
    });
  });
  const gateway = await gatewayTo(t, [origin, origin.replace('127.0.0.1', 'localhost')]);
  assert.equal((await fetch(gateway.url, { method: 'POST', body: 'x' })).status, 502);
  assert.equal((await fetch(gateway.url)).status, 502);
  assert.deepEqual(requests, ['POST', 'GET ']);
});

it('does not blame an upstream for a kept connection that it has closed', async (t) => {
  // Answers once on each connection, promises to keep it, and closes it on the next request without a word.
  const origin = await tcpServer(t, (socket) => {
    let requests = 0;
    socket.on('data', () => {
      requests += 1;
      if (requests === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      else socket.destroy();
    });
  });
  const gateway = await gatewayTo(t, [origin]);
  for (let index = 0; index < 6; index += 1) assert.equal((await fetch(gateway.url)).status, 200);
});

it('answers 502 when nobody is there and 504 when nobody answers, each with the request id', async (t) => {
  const silent = await tcpServer(t, () => {});
  const gateway = await startGateway({
    routes: [
      { prefix: '/dead', upstreams: [await deadOrigin()], access: 'public' },
      { prefix: '/silent', upstreams: [silent], access: 'public', timeLimit: 100 },
    ],
  });
  t.after(() => gateway.close());
  for (const [path, status, reason] of [
    ['/dead', 502, 'upstream_unreachable'],
    ['/silent', 504, 'upstream_timeout'],
  ] as const) {
    const response = await fetch(gateway.url + path);
    assert.equal(response.status, status);
    const body = (await response.json()) as Record<string, unknown>;
    assert.equal(body['reason'], reason);
    assert.equal(body['request_id'], response.headers.get('x-request-id'));
  }
});

it('tells the upstream when the client goes away, and holds nothing against it', async (t) => {
  const upstream = await upstreamFor(t, (request, response) => {
    if (request.url === '/ok') response.end('ok');
  });
  const gateway = await gatewayTo(t, [upstream.origin]);
  for (let index = 1; index <= 5; index += 1) {
    const client = await rawClient(gateway.port);
    client.socket.write('GET /wait HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => upstream.seen.length === index);
    client.close();
    await until(() => upstream.seen.every(({ aborted }) => aborted));
  }
  assert.equal((await fetch(`${gateway.url}/ok`)).status, 200);
  const metrics = await (await fetch(`http://${gateway.internal}/metrics`)).text();
  assert.match(metrics, /latchkey_gateway_upstream_up\{.*\} 1/);
});

it('passes an early answer on and closes the connection that still sends', async (t) => {
  const upstream = await upstreamFor(t, (_request, response) =>
    response.writeHead(409, { 'Content-Length': 2 }).end('no'),
  );
  const gateway = await gatewayTo(t, [upstream.origin]);
  const answer = await sendOnce(
    gateway.port,
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc',
  );
  assert.equal(answer?.status, 409);
  assert.ok(answer?.headers.some(([name, value]) => name === 'connection' && value === 'close'));
});

it('asks for the body with 100 only once the upstream is there', async (t) => {
  const upstream = await upstreamFor(t);
  const gateway = await gatewayTo(t, [upstream.origin]);
  const { socket } = await rawClient(gateway.port);
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  await until(() => received.startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
  socket.write('hi');
  await until(() => received.includes('HTTP/1.1 200 OK'));
  assert.equal(upstream.seen[0]?.body, 'hi');
  socket.destroy();
});

it('joins a WebSocket, from a real client', async (t) => {
  const upstream = await startWebSocketUpstream();
  t.after(() => upstream.close());
  const gateway = await gatewayTo(t, [upstream.origin]);
  const socket = new WebSocket(gateway.url.replace('http', 'ws'));
  const message = await new Promise<unknown>((resolve, reject) => {
    socket.onmessage = ({ data }) => resolve(data);
    socket.onerror = () => reject(new Error('no connection'));
  });
  assert.equal(message, 'hi');
  socket.close();
  await until(() => upstream.tunnels.size === 0);
});

it('passes on the answer of an upstream that wants no WebSocket', async (t) => {
  const upstream = await upstreamFor(t);
  const gateway = await gatewayTo(t, [upstream.origin]);
  const handshake = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const answer = await sendOnce(gateway.port, handshake);
  assert.deepEqual([answer?.status, answer?.body], [200, 'ok']);
});

it('follows the health of its upstreams', async (t) => {
  let well = false;
  const [ill, good] = [
    await upstreamFor(t, (request, response) =>
      response.writeHead(request.url === '/health' && !well ? 503 : 200).end('ill'),
    ),
    await upstreamFor(t, (_request, response) => response.end('good')),
  ];
  const gateway = await gatewayTo(
    t,
    [ill.origin, good.origin],
    { healthPath: '/health' },
    { healthInterval: 20 },
  );
  const answers = async () =>
    new Set(await Promise.all([1, 2, 3, 4].map(async () => (await fetch(gateway.url)).text())));
  const metrics = async () => (await fetch(`http://${gateway.internal}/metrics`)).text();
  while (!(await metrics()).includes(`{upstream="${ill.origin}"} 0`));
  assert.deepEqual(await answers(), new Set(['good']));
  well = true;
  while (!(await metrics()).includes(`{upstream="${ill.origin}"} 1`));
  assert.deepEqual(await answers(), new Set(['ill', 'good']));
});
