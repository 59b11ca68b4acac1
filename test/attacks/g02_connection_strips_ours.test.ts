// G02 (RFC 9110 §7.6.1; @fastify/reply-from before 12.6.2): the client lists our headers in Connection, so that a hop that obeys
// removes them after they were added.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sendOnce } from '../../packages/gateway/test_support/raw_client.ts';
import {
  type Seen,
  startGateway,
  startUpstream,
  tokenWith,
  valuesOf,
} from '../../packages/gateway/test_support/stage.ts';

it('G02: what Connection lists is the client’s own, never ours', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const gateway = await startGateway({
    routes: [{ prefix: '/api', upstreams: [upstream.origin], access: 'authenticated' }],
  });
  t.after(() => gateway.close());
  const token = tokenWith();
  const ours = [
    'X-Auth-Subject',
    'X-Auth-Roles',
    'X-Auth-Session',
    'X-Request-Id',
    'traceparent',
    'Authorization',
    'Host',
    'X-Forwarded-For',
  ];
  for (const name of [...ours, ours.join(', '), ours.join(',').toLowerCase()]) {
    const answer = await sendOnce(
      gateway.port,
      `GET /api HTTP/1.1\r\nHost: a.test\r\nAuthorization: Bearer ${token}\r\nConnection: ${name}, X-Mine\r\nX-Mine: 1\r\n\r\n`,
    );
    assert.equal(answer?.status, 200, name);
    const seen = upstream.seen.at(-1) as Seen;
    for (const own of ours)
      assert.equal(valuesOf(seen, own.toLowerCase()).length, 1, `${own} with Connection: ${name}`);
    assert.deepEqual(valuesOf(seen, 'x-auth-subject'), ['u1']);
    assert.deepEqual(valuesOf(seen, 'authorization'), [`Bearer ${token}`]);
    assert.deepEqual(valuesOf(seen, 'x-mine'), []);
    assert.deepEqual(valuesOf(seen, 'connection'), ['keep-alive']);
  }
});
