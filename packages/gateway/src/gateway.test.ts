// The gateway as a whole, on real sockets: what it forwards, how it refuses, how it ends.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type Stage,
  startGateway,
  startUpstream,
  tokenWith,
  type Upstream,
  valuesOf,
} from '../test_support/stage.ts';

describe('the gateway', () => {
  let upstream: Upstream;
  let gateway: Stage;
  before(async () => {
    upstream = await startUpstream();
    gateway = await startGateway({
      routes: [
        { prefix: '/', upstreams: [upstream.origin], access: 'public' },
        { prefix: '/api', upstreams: [upstream.origin], access: 'authenticated' },
        { prefix: '/api/records', upstreams: [upstream.origin], access: { permission: 'records:read' } },
        { prefix: '/api/ward', upstreams: [upstream.origin], access: { role: 'nurse' } },
        { prefix: '/api/limited', upstreams: [upstream.origin], access: 'authenticated', bodyLimit: 10 },
      ],
    });
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });
  const call = (path: string, init: RequestInit & { token?: string; duplex?: 'half' } = {}) => {
    const { token, ...rest } = init;
    return fetch(gateway.url + path, {
      ...rest,
      headers: {
        ...(rest.headers as Record<string, string>),
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
    });
  };

  it('forwards a public request as it came', async () => {
    const response = await call('/page?a=1&b=%2F', { method: 'POST', body: 'hello' });
    assert.equal(response.status, 200);
    assert.equal(await response.text(), 'ok');
    const seen = upstream.seen.at(-1);
    assert.equal(seen?.url, '/page?a=1&b=%2F');
    assert.equal(seen?.body, 'hello');
    assert.equal(response.headers.get('x-request-id'), valuesOf(seen as never, 'x-request-id')[0]);
  });

  it('answers 401 without a token, with a bare challenge', async () => {
    const response = await call('/api/x');
    assert.equal(response.status, 401);
    assert.equal(response.headers.get('www-authenticate'), 'Bearer');
    const body = (await response.json()) as Record<string, unknown>;
    assert.equal(body['request_id'], response.headers.get('x-request-id'));
    assert.equal(body['reason'], 'missing');
  });

  it('tells the service who the user is', async () => {
    const token = tokenWith({ preferred_username: 'zoë', roles: ['doctor', 'nurse'] });
    assert.equal((await call('/api/x', { token })).status, 200);
    const seen = upstream.seen.at(-1) as never;
    assert.deepEqual(valuesOf(seen, 'x-auth-subject'), ['u1']);
    assert.deepEqual(valuesOf(seen, 'x-auth-username'), ['zo%C3%AB']);
    assert.deepEqual(valuesOf(seen, 'x-auth-roles'), ['doctor,nurse']);
    assert.deepEqual(valuesOf(seen, 'x-auth-scope'), ['records:read']);
    assert.deepEqual(valuesOf(seen, 'x-auth-session'), ['s1']);
    assert.deepEqual(valuesOf(seen, 'authorization'), [`Bearer ${token}`]);
    assert.match(valuesOf(seen, 'traceparent')[0] ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  it('asks for the permission or the role of the route', async () => {
    assert.equal((await call('/api/records', { token: tokenWith() })).status, 200);
    const refused = await call('/api/records', { token: tokenWith({ scope: 'other' }) });
    assert.equal(refused.status, 403);
    assert.match(
      refused.headers.get('www-authenticate') ?? '',
      /error="insufficient_scope", scope="records:read"/,
    );
    assert.equal((await call('/api/ward', { token: tokenWith() })).status, 403);
    assert.equal((await call('/api/ward', { token: tokenWith({ roles: ['nurse'] }) })).status, 200);
  });

  it('refuses a body beyond the limit, announced or not', async () => {
    const token = tokenWith();
    const forwarded = upstream.seen.length;
    assert.equal((await call('/api/limited', { method: 'POST', body: '12345678901', token })).status, 413);
    assert.equal(upstream.seen.length, forwarded);
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from('12345678901'));
        controller.close();
      },
    });
    assert.equal((await call('/api/limited', { method: 'POST', body, duplex: 'half', token })).status, 413);
    assert.equal((await call('/api/limited', { method: 'POST', body: '1234567890', token })).status, 200);
  });
});
