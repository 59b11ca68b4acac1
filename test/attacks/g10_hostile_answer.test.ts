// G10 (ASVS 4.2.2): the upstream's side. A service that is taken over must not set our cookies, break the framing of the
// connection, or hand hop-by-hop fields on.
import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { it } from 'node:test';
import {
  headersNamed,
  type RawAnswer,
  rawClient,
  sendOnce,
} from '../../packages/gateway/test_support/raw_client.ts';
import {
  type Seen,
  startGateway,
  startUpstream,
  valuesOf,
} from '../../packages/gateway/test_support/stage.ts';

/** A server that answers every request with these bytes. */
async function rawUpstream(answerTo: (path: string) => string) {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      socket.write(answerTo(chunk.toString('latin1').split(' ')[1] ?? ''), 'latin1');
      if (!chunk.includes('/keep')) socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

const ok = (fields: string, body = 'ok') =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;

it('G10: no other service sees or sets the refresh cookie', async (t) => {
  const cookies = [
    '__Host-latchkey-refresh=stolen; Path=/; Secure',
    '__host-LATCHKEY-refresh=x',
    ' __Host-latchkey-refresh=x',
    '=__Host-latchkey-refresh=x; Secure',
    '__Host-latchkey-refresh',
    '__Host-latchkey-device=x',
  ];
  const upstream = await rawUpstream(() =>
    ok(
      [...cookies, 'mine=1; Path=/', 'also=__Host-latchkey-refresh']
        .map((cookie) => `Set-Cookie: ${cookie}\r\n`)
        .join(''),
    ),
  );
  t.after(() => upstream.close());
  const auth = await rawUpstream(() =>
    ok('Set-Cookie: __Host-latchkey-refresh=good; Secure; Path=/; HttpOnly\r\n'),
  );
  t.after(() => auth.close());
  const gateway = await startGateway({
    authUpstream: auth.origin,
    routes: [{ prefix: '/api', upstreams: [upstream.origin], access: 'public' }],
  });
  t.after(() => gateway.close());
  const cookiesFrom = async (path: string) =>
    headersNamed(
      (await sendOnce(gateway.port, `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)) as RawAnswer,
      'set-cookie',
    );
  assert.deepEqual(await cookiesFrom('/api'), ['mine=1; Path=/', 'also=__Host-latchkey-refresh']);
  for (const path of ['/auth/token', '/auth', '/.well-known/oauth-authorization-server/auth'])
    assert.equal((await cookiesFrom(path)).length, 1, path);
});

it('G10: the refresh cookie goes to the auth server alone', async (t) => {
  const [service, auth] = [await startUpstream(), await startUpstream()];
  t.after(() => service.close());
  t.after(() => auth.close());
  const gateway = await startGateway({
    authUpstream: auth.origin,
    routes: [{ prefix: '/', upstreams: [service.origin], access: 'public' }],
  });
  t.after(() => gateway.close());
  const send = (path: string, fields: string) =>
    sendOnce(gateway.port, `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  const refresh = '__Host-latchkey-refresh=lkr_x';
  for (const [sent, kept] of [
    [`Cookie: a=1; ${refresh}; b=2\r\n`, ['a=1; b=2']],
    [`Cookie: ${refresh}\r\n`, []],
    [`Cookie:   ${refresh};a=1\r\ncookie: ${refresh}; c=3\r\n`, ['a=1', 'c=3']],
    [`Cookie: a=1; __HOST-Latchkey-Refresh=x;${refresh}\r\n`, ['a=1']],
    ['Cookie: a=__Host-latchkey-refresh\r\n', ['a=__Host-latchkey-refresh']],
  ] as const) {
    await send('/authx', sent);
    assert.deepEqual(valuesOf(service.seen.at(-1) as Seen, 'cookie'), kept, sent);
  }
  await send('/auth/token', `Cookie: a=1; ${refresh}; ${refresh}\r\n`);
  assert.deepEqual(valuesOf(auth.seen.at(-1) as Seen, 'cookie'), [`a=1; ${refresh}; ${refresh}`]);
});

it('G10: hop-by-hop fields stay behind, broken answers become 502', async (t) => {
  const answers: Record<string, string> = {
    '/hop': ok(
      'Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nProxy-Authenticate: Basic\r\nTrailer: X\r\nUpgrade: h2c\r\nX-Request-Id: theirs\r\nX-Kept: 1\r\n',
    ),
    '/hints': `HTTP/1.1 103 Early Hints\r\nSet-Cookie: __Host-latchkey-refresh=x\r\n\r\n${ok('')}`,
    '/both': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    '/lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk',
    '/noise': 'not http at all\r\n\r\n',
    '/split': 'HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n',
    '/switch':
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfree bytes',
    '/empty': '',
    '/huge': `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`,
  };
  const upstream = await rawUpstream((path) => answers[path] ?? '');
  t.after(() => upstream.close());
  const gateway = await startGateway({
    routes: [{ prefix: '/', upstreams: [upstream.origin], access: 'public' }],
  });
  t.after(() => gateway.close());
  const get = async (path: string) =>
    (await sendOnce(gateway.port, `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)) as RawAnswer;
  const hop = await get('/hop');
  const names = hop.headers.map(([name]) => name);
  for (const name of ['x-hop', 'proxy-authenticate', 'trailer', 'upgrade'])
    assert.ok(!names.includes(name), name);
  assert.deepEqual(headersNamed(hop, 'x-kept'), ['1']);
  assert.notEqual(headersNamed(hop, 'x-request-id')[0], 'theirs');
  assert.deepEqual(headersNamed(await get('/hints'), 'set-cookie'), []);
  for (const path of ['/both', '/lengths', '/noise', '/split', '/switch', '/empty', '/huge']) {
    const answer = await get(path);
    assert.equal(answer.status, 502, path);
    assert.equal(JSON.parse(answer.body).request_id, headersNamed(answer, 'x-request-id')[0]);
  }
});

it('G10: half an answer never looks whole, and bytes behind an answer go to nobody', async (t) => {
  const upstream = await rawUpstream((path) =>
    path === '/half'
      ? 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this'
      : path === '/chunks'
        ? 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
        : `${ok('')}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`,
  );
  t.after(() => upstream.close());
  const gateway = await startGateway({
    routes: [{ prefix: '/', upstreams: [upstream.origin], access: 'public' }],
  });
  t.after(() => gateway.close());
  for (const path of ['/half', '/chunks']) {
    const client = await rawClient(gateway.port);
    await assert.rejects(client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`), /the connection ended/);
    client.close();
  }
  for (let index = 0; index < 20; index += 1) {
    const answer = await sendOnce(gateway.port, 'GET /keep HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.notEqual(answer?.body, 'poison');
  }
});
