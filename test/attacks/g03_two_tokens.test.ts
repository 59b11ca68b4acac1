// G03 (RFC 6750 §2, RFC 9700 §4.3.2): more than one Authorization field, or a token anywhere but there.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { headersNamed, sendOnce } from '../../packages/gateway/test_support/raw_client.ts';
import { startGateway, startUpstream, tokenWith } from '../../packages/gateway/test_support/stage.ts';

it('G03: one token, in one Authorization field', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const gateway = await startGateway({
    routes: [
      { prefix: '/api', upstreams: [upstream.origin], access: 'authenticated' },
      { prefix: '/open', upstreams: [upstream.origin], access: 'public' },
    ],
  });
  t.after(() => gateway.close());
  const token = tokenWith();
  const status = async (path: string, fields: string, body = '') =>
    (
      await sendOnce(
        gateway.port,
        `POST ${path} HTTP/1.1\r\nHost: a\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`,
      )
    )?.status;
  const bearer = `Authorization: Bearer ${token}\r\n`;

  assert.equal(await status('/api', bearer), 200);
  const forwarded = upstream.seen.length;
  for (const fields of [
    bearer + bearer,
    `${bearer}authorization: Bearer x\r\n`,
    `Authorization: Basic eDp5\r\n${bearer}`,
    `${bearer}AUTHORIZATION:\r\n`,
  ]) {
    assert.equal(await status('/api', fields), 400, fields.replaceAll(token, '…'));
    assert.equal(await status('/open', fields), 400, fields.replaceAll(token, '…'));
  }
  for (const value of [
    `Bearer ${token}, Bearer ${token}`,
    `Bearer ${token},Basic eDp5`,
    `Bearer Bearer ${token}`,
    `Bearer ${token} ${token}`,
  ]) {
    assert.equal(await status('/api', `Authorization: ${value}\r\n`), 401, value.replaceAll(token, '…'));
  }
  const form = `access_token=${token}`;
  assert.equal(await status(`/api?access_token=${token}`, ''), 401);
  assert.equal(await status('/api', `Cookie: access_token=${token}\r\n`), 401);
  assert.equal(await status('/api', 'Content-Type: application/x-www-form-urlencoded\r\n', form), 401);
  assert.equal(
    await status('/api', `X-Access-Token: ${token}\r\nProxy-Authorization: Bearer ${token}\r\n`),
    401,
  );
  assert.equal(await status('/api', `Sec-WebSocket-Protocol: latchkey.bearer.${token}\r\n`), 401);
  assert.equal(upstream.seen.length, forwarded);

  const bare = await sendOnce(gateway.port, 'GET /api HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.deepEqual(headersNamed(bare as never, 'www-authenticate'), ['Bearer']);
});
