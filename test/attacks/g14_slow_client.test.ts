// G14 (slowloris): clients that send their header section, their body, or take their answer, as slowly as they can. The time
// limits are small here; what is tested is that each of them ends the connection and frees the upstream.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rawClient } from '../../packages/gateway/test_support/raw_client.ts';
import {
  type Stage,
  startGateway,
  startUpstream,
  type Upstream,
  until,
} from '../../packages/gateway/test_support/stage.ts';

describe('G14: slow clients', { concurrency: true }, () => {
  let upstream: Upstream;
  let gateway: Stage;
  before(async () => {
    const chunk = Buffer.alloc(1024 * 1024);
    upstream = await startUpstream((request, response) => {
      if (request.url !== '/endless') return void request.on('end', () => response.end('ok'));
      const more = () => {
        while (response.write(chunk));
      };
      response.on('drain', more);
      more();
    });
    gateway = await startGateway({
      routes: [{ prefix: '/', upstreams: [upstream.origin], access: 'public' }],
      headersTimeout: 300,
      requestTimeout: 600,
      keepAliveTimeout: 300,
      stallTimeout: 300,
    });
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  /** Writes the first bytes, then one more every 50 ms; resolves with all that came once the connection has ended. */
  const drip = async (first: string) => {
    const { socket } = await rawClient(gateway.port);
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.write(first);
    const timer = setInterval(() => socket.write('a'), 50);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(timer);
    return received;
  };

  it('ends a slow header section', async () => {
    assert.match(
      await drip('GET / HTTP/1.1\r\nHost: a\r\nX-A: '),
      /^HTTP\/1\.1 408 .*"reason":"slow_request"/s,
    );
  });

  it('ends a slow body, at the upstream too', async () => {
    assert.match(
      await drip('POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n'),
      /^HTTP\/1\.1 408 /,
    );
    await until(() => upstream.seen.some(({ url, aborted }) => url === '/slow' && aborted));
  });

  it('ends a connection that does nothing', async () => {
    const idle = await rawClient(gateway.port);
    await idle.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await new Promise((resolve) => idle.socket.once('close', resolve));
  });

  it('ends an answer that nobody takes, at the upstream too', async () => {
    const { socket } = await rawClient(gateway.port);
    socket.write('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n');
    socket.pause();
    await until(() => upstream.seen.some(({ url, aborted }) => url === '/endless' && aborted));
    socket.destroy();
  });
});
