// G15 (ASVS 15.2.2): bodies and header sections beyond the limit, announced, not announced, or lied about. The upstream never gets
// more than the limit, and nothing is unpacked on the way.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type RawAnswer, rawClient, sendOnce } from '../../packages/gateway/test_support/raw_client.ts';
import {
  type Seen,
  type Stage,
  startGateway,
  startUpstream,
  type Upstream,
  valuesOf,
} from '../../packages/gateway/test_support/stage.ts';

const limit = 1000;

describe('G15: large requests', () => {
  let upstream: Upstream;
  let gateway: Stage;
  before(async () => {
    upstream = await startUpstream();
    gateway = await startGateway({
      authUpstream: upstream.origin,
      routes: [
        { prefix: '/api', upstreams: [upstream.origin], access: 'public', bodyLimit: limit },
        { prefix: '/none', upstreams: [upstream.origin], access: 'public', bodyLimit: 0 },
      ],
    });
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });
  const post = (path: string, fields: string, body: string) =>
    sendOnce(gateway.port, `POST ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`) as Promise<RawAnswer>;
  const chunked = (size: number, step: number) => {
    let body = '';
    for (let sent = 0; sent < size; sent += step) body += `${step.toString(16)}\r\n${'a'.repeat(step)}\r\n`;
    return `${body}0\r\n\r\n`;
  };

  it('lets the limit through and not a byte more', async () => {
    assert.equal((await post('/api', `Content-Length: ${limit}\r\n`, 'a'.repeat(limit))).status, 200);
    assert.equal((await post('/api', 'Transfer-Encoding: chunked\r\n', chunked(limit, 100))).status, 200);
    const forwarded = upstream.seen.length;
    assert.equal((await post('/api', `Content-Length: ${limit + 1}\r\n`, 'a'.repeat(limit + 1))).status, 413);
    assert.equal((await post('/api', 'Content-Length: 999999999999\r\n', 'a')).status, 413);
    assert.equal((await post('/none', 'Content-Length: 1\r\n', 'a')).status, 413);
    assert.equal((await post('/auth/login', `Content-Length: ${65 * 1024}\r\n`, '{')).status, 413);
    assert.equal(upstream.seen.length, forwarded);
  });

  it('stops a body of unknown length at the limit', async () => {
    const forwarded = upstream.seen.length;
    for (const step of [1, 100, 999])
      assert.equal(
        (await post('/api', 'Transfer-Encoding: chunked\r\n', chunked(limit + step, step))).status,
        413,
      );
    for (const { body } of upstream.seen.slice(forwarded)) assert.ok(body.length <= limit);
  });

  it('asks for no body that it would refuse', async () => {
    const client = await rawClient(gateway.port);
    const answer = await client.send(
      `POST /api HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${limit + 1}\r\n\r\n`,
    );
    assert.equal(answer.status, 413);
    assert.ok(answer.headers.some(([name, value]) => name === 'connection' && value === 'close'));
    client.close();
    assert.equal((await post('/api', 'Expect: 200-ok\r\nContent-Length: 1\r\n', 'a')).status, 417);
    assert.equal((await post('/api', 'Expect: 100-continue\r\nContent-Length: 1\r\n', 'a')).status, 200);
    assert.deepEqual(valuesOf(upstream.seen.at(-1) as Seen, 'expect'), []);
  });

  it('does not unpack a packed body', async () => {
    const packed = gzipSync(Buffer.alloc(500_000)).toString('latin1');
    assert.ok(packed.length < limit);
    assert.equal(
      (await post('/api', `Content-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n`, packed)).status,
      200,
    );
    assert.equal((upstream.seen.at(-1) as Seen).body, packed);
  });

  it('bounds the header section by size and number', async () => {
    const forwarded = upstream.seen.length;
    assert.equal((await post('/api', `X-A: ${'a'.repeat(17 * 1024)}\r\n`, '')).status, 431);
    assert.equal((await post(`/api?${'a'.repeat(17 * 1024)}`, '', ''))?.status, 431);
    assert.equal((await post('/api', 'A: 1\r\n'.repeat(101), '')).status, 431);
    assert.equal(upstream.seen.length, forwarded);
  });
});
