// G05 (RFC 9112 §6.1 and §6.3, ASVS 4.2.1; CVE-2020-8287, CVE-2023-30589, CVE-2024-27982, CVE-2025-64763): two readings of where
// a request ends. The upstream counts: it never sees a request that the gateway did not mean, and never `/secret`.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rawClient, sendOnce } from '../../packages/gateway/test_support/raw_client.ts';
import {
  type Stage,
  startGateway,
  startUpstream,
  type Upstream,
} from '../../packages/gateway/test_support/stage.ts';

const smuggled = 'GET /secret HTTP/1.1\r\nHost: a\r\n\r\n';
const chunkedSmuggled = `0\r\n\r\n${smuggled}`;

/** Name, header fields, body. All are refused and reach nobody. */
const refused: readonly (readonly [string, string, string])[] = [
  [
    'CL and TE',
    `Content-Length: ${chunkedSmuggled.length}\r\nTransfer-Encoding: chunked\r\n`,
    chunkedSmuggled,
  ],
  [
    'TE and CL',
    `Transfer-Encoding: chunked\r\nContent-Length: ${chunkedSmuggled.length}\r\n`,
    chunkedSmuggled,
  ],
  ['two lengths', `Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n`, smuggled],
  ['two equal lengths', 'Content-Length: 1\r\nContent-Length: 1\r\n', 'a'],
  ['a list of lengths', `Content-Length: 0, ${smuggled.length}\r\n`, smuggled],
  ['signed length', `Content-Length: +${smuggled.length}\r\n`, smuggled],
  ['negative length', 'Content-Length: -1\r\n', smuggled],
  ['hexadecimal length', 'Content-Length: 0x5\r\n', smuggled],
  ['length with a fraction', 'Content-Length: 5.0\r\n', smuggled],
  ['huge length', 'Content-Length: 18446744073709551616\r\n', smuggled],
  ['empty length', 'Content-Length: \r\n', smuggled],
  ['length with a space', 'Content-Length: 1 0\r\n', smuggled],
  ['unknown coding', 'Transfer-Encoding: xchunked\r\n', chunkedSmuggled],
  ['identity, chunked', 'Transfer-Encoding: identity, chunked\r\n', chunkedSmuggled],
  ['chunked, identity', 'Transfer-Encoding: chunked, identity\r\n', chunkedSmuggled],
  ['gzip, chunked', 'Transfer-Encoding: gzip, chunked\r\n', chunkedSmuggled],
  ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', chunkedSmuggled],
  ['chunked and identity', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', chunkedSmuggled],
  ['vertical tab', 'Transfer-Encoding: \x0bchunked\r\n', chunkedSmuggled],
  ['quoted', 'Transfer-Encoding: "chunked"\r\n', chunkedSmuggled],
  ['a parameter', 'Transfer-Encoding: chunked;q=1\r\n', chunkedSmuggled],
  ['empty coding', 'Transfer-Encoding: \r\n', chunkedSmuggled],
  ['space before the colon', 'Transfer-Encoding : chunked\r\n', chunkedSmuggled],
  ['folded line', 'X-A: b\r\n Transfer-Encoding: chunked\r\n', chunkedSmuggled],
  ['folded coding', 'Transfer-Encoding:\r\n chunked\r\n', chunkedSmuggled],
  ['bare line feed', 'X-A: b\nTransfer-Encoding: chunked\r\n', chunkedSmuggled],
  ['bare carriage return', 'X-A: b\rTransfer-Encoding: chunked\r\n', chunkedSmuggled],
  ['NUL in a value', 'X-A: b\0c\r\n', smuggled],
  ['chunk size signed', 'Transfer-Encoding: chunked\r\n', `+0\r\n\r\n${smuggled}`],
  ['chunk size prefixed', 'Transfer-Encoding: chunked\r\n', `0x0\r\n\r\n${smuggled}`],
  ['chunk size too large', 'Transfer-Encoding: chunked\r\n', `fffffffffffffffff\r\n${smuggled}`],
  ['chunk ends in a line feed', 'Transfer-Encoding: chunked\r\n', `1\na\r\n0\r\n\r\n${smuggled}`],
  ['chunk longer than said', 'Transfer-Encoding: chunked\r\n', `1\r\nabc\r\n0\r\n\r\n${smuggled}`],
  ['carriage return in a chunk extension', 'Transfer-Encoding: chunked\r\n', `0;a\rb\r\n\r\n${smuggled}`],
  ['line feed in a chunk extension', 'Transfer-Encoding: chunked\r\n', `1;a\nb\r\na\r\n0\r\n\r\n${smuggled}`],
];

describe('G05: request smuggling', () => {
  let upstream: Upstream;
  let gateway: Stage;
  before(async () => {
    upstream = await startUpstream();
    gateway = await startGateway({
      routes: [{ prefix: '/api', upstreams: [upstream.origin], access: 'public' }],
    });
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });
  const complete = () => upstream.seen.filter(({ url, aborted }) => url === '/secret' || !aborted).length;

  for (const [name, fields, body] of refused) {
    it(`refuses: ${name}`, async () => {
      const already = complete();
      const answer = await sendOnce(gateway.port, `POST /api HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`);
      assert.ok(answer === undefined || (answer.status >= 400 && answer.status < 500), `${answer?.status}`);
      // A chunked request may have been begun; it must not have come to an end at the upstream.
      await sendOnce(gateway.port, 'GET /api HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.equal(complete(), already + 1);
      assert.ok(upstream.seen.every(({ url }) => url === '/api'));
    });
  }

  it('has written every forwarded request anew', async () => {
    const client = await rawClient(gateway.port);
    await client.send(
      'POST /api HTTP/1.1\r\nHost: a\r\ntransfer-ENCODING: CHUNKED\r\nTE: trailers, chunked\r\n\r\n3;ext=1\r\nabc\r\n0\r\n\r\n',
    );
    const seen = upstream.seen.at(-1);
    assert.equal(seen?.body, 'abc');
    const fields = seen?.rawHeaders.map((text) => text.toLowerCase()) ?? [];
    assert.equal(fields[fields.indexOf('transfer-encoding') + 1], 'chunked');
    assert.ok(!fields.includes('te') && !fields.includes('content-length'));
    client.close();
  });

  it('answers pipelined requests one for one and in order', async () => {
    const forwarded = upstream.seen.length;
    const client = await rawClient(gateway.port);
    client.socket.write(
      'POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\naGET /nowhere HTTP/1.1\r\nHost: a\r\n\r\nGET /api HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    assert.deepEqual(
      [(await client.answer()).status, (await client.answer()).status, (await client.answer()).status],
      [200, 404, 200],
    );
    assert.equal(upstream.seen.length, forwarded + 2);
    client.close();
  });

  it('refuses CONNECT, and bytes behind an upgrade', async () => {
    const forwarded = upstream.seen.length;
    assert.equal(
      (await sendOnce(gateway.port, `CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`))?.status,
      405,
    );
    const upgrade = (fields: string, rest = '') =>
      sendOnce(gateway.port, `GET /api HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n${fields}\r\n${rest}`);
    assert.equal(
      (await upgrade('Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n', smuggled))?.status,
      400,
    );
    assert.equal((await upgrade('Upgrade: websocket\r\n', smuggled))?.status, 400);
    assert.equal(
      (await upgrade(`Upgrade: websocket\r\nContent-Length: ${smuggled.length}\r\n`, smuggled))?.status,
      400,
    );
    assert.equal((await upgrade('Upgrade: TLS/1.0\r\n'))?.status, 400);
    assert.equal(
      (await sendOnce(gateway.port, 'GET /api HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n'))?.status,
      400,
    );
    assert.equal(upstream.seen.length, forwarded);
  });
});
