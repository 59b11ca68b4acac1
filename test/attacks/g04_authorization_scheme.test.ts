// G04 (RFC 9110 §11.1, RFC 6750 §2.1): spellings of the Authorization field. The scheme has no case; then one space, one token.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { headersNamed, type RawAnswer, sendOnce } from '../../packages/gateway/test_support/raw_client.ts';
import { startGateway, startUpstream, tokenWith } from '../../packages/gateway/test_support/stage.ts';

it('G04: one scheme, one space, one token', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const gateway = await startGateway({
    routes: [{ prefix: '/api', upstreams: [upstream.origin], access: 'authenticated' }],
  });
  t.after(() => gateway.close());
  const token = tokenWith();
  const send = async (value: string) =>
    (await sendOnce(
      gateway.port,
      `GET /api HTTP/1.1\r\nHost: a\r\nAuthorization: ${value}\r\n\r\n`,
    )) as RawAnswer;

  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR'])
    assert.equal((await send(`${scheme} ${token}`)).status, 200, scheme);
  const forwarded = upstream.seen.length;

  const malformed = [
    'Bearer',
    'bearer',
    `Bearer  ${token}`,
    `Bearer ${token} x`,
    `Bearer "${token}"`,
    `Bearer ${token};`,
    `Bearer ${token},`,
    `Bearer \u00a0${token}`,
    'Bearer a b',
  ];
  for (const value of malformed) {
    const answer = await send(value);
    assert.equal(answer.status, 401, value);
    assert.match(headersNamed(answer, 'www-authenticate')[0] ?? '', /^Bearer error="invalid_token"/, value);
    assert.equal(JSON.parse(answer.body).reason, 'malformed', value);
    assert.ok(!answer.body.includes(token));
  }
  for (const value of [
    `Bearer\t${token}`,
    `Basic ${token}`,
    'Basic eDp5',
    token,
    `Token ${token}`,
    `Bearer:${token}`,
    `JWT ${token}`,
    `DPoP ${token}`,
    '',
  ]) {
    assert.equal((await send(value)).status, 401, value);
  }
  assert.equal(upstream.seen.length, forwarded);
});
