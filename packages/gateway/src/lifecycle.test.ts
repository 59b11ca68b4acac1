// How a gateway starts, tells its state, is written about, and ends.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { connect } from 'node:tls';
import { createVerifier } from '@latchkey/core/verifier';
import { selfSigned } from '../test_support/certificate.ts';
import { rawClient } from '../test_support/raw_client.ts';
import {
  audience,
  issuer,
  jwks,
  startGateway,
  startUpstream,
  startWebSocketUpstream,
  tokenWith,
  until,
} from '../test_support/stage.ts';
import { createGateway } from './index.ts';

it('lets requests in flight finish, then closes streams and WebSockets', async (t) => {
  let release = () => {};
  const upstream = await startUpstream((request, response) => {
    if (request.url === '/events')
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n');
    else release = () => response.end('done');
  });
  const sockets = await startWebSocketUpstream();
  t.after(() => Promise.all([upstream.close(), sockets.close()]));
  const gateway = await startGateway({
    closeTimeout: 10_000,
    routes: [
      { prefix: '/', upstreams: [upstream.origin], access: 'public' },
      { prefix: '/socket', upstreams: [sockets.origin], access: 'public' },
    ],
  });
  const [waiting, streaming, joined, idle] = [
    await rawClient(gateway.port),
    await rawClient(gateway.port),
    await rawClient(gateway.port),
    await rawClient(gateway.port),
  ];
  assert.equal((await idle.send('TRACE / HTTP/1.1\r\nHost: a\r\n\r\n')).status, 405);
  const answer = waiting.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  streaming.socket.write('GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.equal(
    (
      await joined.send(
        'GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      )
    ).status,
    101,
  );
  await until(() => upstream.seen.length === 2);
  const closed = gateway.close();
  await until(() => idle.socket.destroyed);
  assert.equal(joined.socket.destroyed, false, 'streams wait for the requests in flight');
  await assert.rejects(fetch(gateway.url));
  release();
  const { status, headers, body } = await answer;
  assert.deepEqual([status, body], [200, 'done']);
  assert.ok(headers.some(([name, value]) => name === 'connection' && value === 'close'));
  await closed;
  await until(() => streaming.socket.destroyed && joined.socket.destroyed);
});

it('is live at once and ready when its verifier is', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  // Nobody listens at the issuer: there will be no keys.
  const dead = await startUpstream();
  await dead.close();
  const verifier = createVerifier({ issuer: `${dead.origin}/auth`, audience });
  t.after(() => verifier.close());
  const gateway = await startGateway({
    verifier,
    routes: [
      { prefix: '/', upstreams: [upstream.origin], access: 'public' },
      { prefix: '/api', upstreams: [upstream.origin], access: 'authenticated' },
    ],
  });
  t.after(() => gateway.close());
  const status = async (url: string, init?: RequestInit) => (await fetch(url, init)).status;
  assert.equal(await status(`http://${gateway.internal}/livez`), 200);
  assert.equal(await status(`http://${gateway.internal}/readyz`), 503);
  assert.equal(await status(`http://${gateway.internal}/other`), 404);
  assert.equal(await status(`http://${gateway.internal}/livez`, { method: 'POST' }), 405);
  assert.equal(await status(gateway.url), 200);
  const refused = await fetch(`${gateway.url}/api`, { headers: { Authorization: `Bearer ${tokenWith()}` } });
  assert.equal(refused.status, 503);
  assert.ok(refused.headers.get('retry-after'));
  assert.equal(upstream.seen.length, 1);

  const ready = await startGateway({
    routes: [{ prefix: '/', upstreams: [upstream.origin], access: 'public' }],
  });
  t.after(() => ready.close());
  assert.equal(await status(`http://${ready.internal}/readyz`), 200);
});

it('logs and counts without a token, a cookie or a query', async (t) => {
  const lines: string[] = [];
  const write = (fields: object, message: string) => void lines.push(JSON.stringify({ ...fields, message }));
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const gateway = await startGateway({
    log: { info: write, warn: write, error: write },
    routes: [{ prefix: '/api', upstreams: [upstream.origin], access: 'authenticated' }],
  });
  t.after(() => gateway.close());
  const token = tokenWith();
  const secrets = [token, token.split('.')[2] as string, 'query-secret', 'cookie-secret', 'forged-secret'];
  const headers = { Cookie: 'a=cookie-secret', 'X-Auth-Subject': 'forged-secret' };
  await fetch(`${gateway.url}/api/x?a=query-secret`, {
    headers: { ...headers, Authorization: `Bearer ${token}` },
  });
  await fetch(`${gateway.url}/api/x?a=query-secret`, {
    headers: { ...headers, Authorization: `Bearer ${token}x` },
  });
  await fetch(`${gateway.url}/nowhere?a=query-secret`, { headers });
  await until(() => lines.length === 3);
  const metrics = await (await fetch(`http://${gateway.internal}/metrics`)).text();
  for (const secret of secrets) assert.ok(![...lines, metrics].some((text) => text.includes(secret)), secret);
  const [first, second, third] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    [first?.['path'], first?.['route'], first?.['status'], first?.['reason']],
    ['/api/x', '/api', 200, undefined],
  );
  assert.equal(second?.['status'], 401);
  assert.match(String(second?.['reason']), /^(malformed|invalid)$/);
  assert.deepEqual([third?.['status'], third?.['reason'], third?.['route']], [404, 'no_route', undefined]);
  assert.match(metrics, /latchkey_gateway_requests_total\{route="\/api",status="2xx"\} 1/);
  assert.match(metrics, /latchkey_gateway_refusals_total\{reason="no_route"\} 1/);
});

it('closes the door when its verifier fails in a way that nobody foresaw', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const verifier = createVerifier({ issuer, audience, jwks });
  const broken = {
    ...verifier,
    verifySync: () => {
      throw new RangeError('a fault');
    },
  };
  const gateway = await startGateway({
    verifier: broken,
    routes: [{ prefix: '/api', upstreams: [upstream.origin], access: 'authenticated' }],
  });
  t.after(() => gateway.close());
  const response = await fetch(`${gateway.url}/api`, { headers: { Authorization: `Bearer ${tokenWith()}` } });
  assert.equal(response.status, 503);
  assert.ok(!(await response.text()).includes('a fault'));
  assert.equal(upstream.seen.length, 0);
});

it('serves TLS and takes a new certificate without a restart', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-gateway-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const tls = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  const install = ({ cert, key }: { cert: string; key: string }) => {
    writeFileSync(tls.certFile, cert);
    writeFileSync(tls.keyFile, key, { mode: 0o600 });
  };
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  install(selfSigned('first'));
  const gateway = createGateway({
    tls,
    certificateInterval: 50,
    closeTimeout: 100,
    routes: [{ prefix: '/', upstreams: [upstream.origin], access: 'public' }],
  });
  t.after(() => gateway.close());
  const { port, url } = await gateway.listen();
  assert.match(url, /^https:/);
  const nameServed = () =>
    new Promise<unknown>((resolve, reject) => {
      const socket = connect(
        {
          port,
          host: '127.0.0.1',
          servername: 'localhost',
          rejectUnauthorized: false,
          ALPNProtocols: ['http/1.1'],
        },
        () => {
          const { subject } = socket.getPeerCertificate();
          socket.destroy();
          resolve(subject?.CN);
        },
      );
      socket.on('error', reject);
    });
  assert.equal(await nameServed(), 'first');
  install(selfSigned('second'));
  while ((await nameServed()) !== 'second');
  // A pair that does not belong together is not taken.
  writeFileSync(tls.keyFile, selfSigned('third').key);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(await nameServed(), 'second');
});

it('says so when a port is taken', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const gateway = createGateway({
    routes: [{ prefix: '/', upstreams: [upstream.origin], access: 'public' }],
    listen: { port: upstream.port },
  });
  await assert.rejects(gateway.listen(), { code: 'EADDRINUSE' });
  await gateway.close();
});
