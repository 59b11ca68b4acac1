// What of a request reaches the upstream; identity headers and cookies have their own tests in test/attacks.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { AccessTokenClaims } from '@latchkey/core';
import { sendOnce } from '../test_support/raw_client.ts';
import { type Seen, startGateway, startUpstream, tokenWith, valuesOf } from '../test_support/stage.ts';
import { requestHeaders } from './mutate.ts';
import type { NormalRequest } from './normalise.ts';

it('keeps a valid trace and begins a new one otherwise', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const gateway = await startGateway({
    routes: [{ prefix: '/', upstreams: [upstream.origin], access: 'public' }],
  });
  t.after(() => gateway.close());
  const traceOf = async (fields: string) => {
    await sendOnce(gateway.port, `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
    const seen = upstream.seen.at(-1) as Seen;
    return [...valuesOf(seen, 'traceparent'), ...valuesOf(seen, 'tracestate')];
  };
  const good = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  assert.deepEqual(await traceOf(`traceparent: ${good}\r\ntracestate: a=1\r\nTraceState: b=2\r\n`), [
    good,
    'a=1,b=2',
  ]);
  const fresh = /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/;
  for (const fields of [
    '',
    `traceparent: ${good}\r\ntraceparent: ${good}\r\n`,
    `traceparent: ${good}x\r\n`,
    `traceparent: ff${good.slice(2)}\r\n`,
    `traceparent: 00-${'0'.repeat(32)}-b7ad6b7169203331-01\r\n`,
    'traceparent: x\r\n',
  ]) {
    const [parent, ...rest] = await traceOf(`${fields}tracestate: a=1\r\n`);
    assert.match(parent ?? '', fresh, fields);
    assert.notEqual(parent, good);
    assert.deepEqual(rest, []);
  }
});

it('takes the request id and the scheme from a trusted proxy only', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const routes = [{ prefix: '/', upstreams: [upstream.origin], access: 'public' }] as const;
  const [open, proxied] = [
    await startGateway({ routes }),
    await startGateway({ routes, trustedProxies: ['127.0.0.1'] }),
  ];
  t.after(() => Promise.all([open.close(), proxied.close()]));
  const sendTo = async (port: number, id: string) => {
    await sendOnce(
      port,
      `GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${id}\r\nX-Forwarded-Proto: http, https\r\n\r\n`,
    );
    const seen = upstream.seen.at(-1) as Seen;
    return [...valuesOf(seen, 'x-request-id'), ...valuesOf(seen, 'x-forwarded-proto')];
  };
  assert.deepEqual(await sendTo(proxied.port, 'proxy-id-1'), ['proxy-id-1', 'https']);
  assert.match((await sendTo(proxied.port, 'bad id'))[0] ?? '', /^[0-9a-f]{32}$/);
  const [id, scheme] = await sendTo(open.port, 'proxy-id-1');
  assert.match(id ?? '', /^[0-9a-f]{32}$/);
  assert.equal(scheme, 'http');
});

it('lets no claim break out of its field', () => {
  // Core signs and accepts no such token; this is the second lock.
  const claims = {
    sub: 'u1\r\nX-Auth-Roles: admin',
    preferred_username: 'a\r\nX: é,"\ud800',
    roles: ['doctor', 'nurse,admin', 'Admin', '', 'a\nb'],
    scope: 'a\u0000b',
    sid: 'é',
  } as unknown as AccessTokenClaims;
  const request = {
    authority: 'a',
    rawHeaders: [],
    connectionOptions: [],
    framing: { kind: 'none' },
    method: 'GET',
  };
  const headers = requestHeaders({
    request: request as unknown as NormalRequest,
    kind: 'service',
    identity: { token: 't', kid: 'k', claims },
    client: { address: '192.0.2.1', key: '192.0.2.1', proxied: false },
    secure: false,
    requestId: 'r',
  });
  const value = (name: string) => valuesOf({ rawHeaders: headers }, name);
  assert.deepEqual(value('x-auth-subject'), ['u1%0D%0AX-Auth-Roles%3A%20admin']);
  assert.deepEqual(value('x-auth-username'), ['a%0D%0AX%3A%20%C3%A9%2C%22%EF%BF%BD']);
  assert.deepEqual(value('x-auth-roles'), ['doctor']);
  assert.deepEqual(value('x-auth-scope'), ['a%00b']);
  assert.deepEqual(value('x-auth-session'), ['%C3%A9']);
  assert.ok(headers.every((text) => /^[\x20-\x7e]*$/.test(text)));
});

it('limits a subject across addresses, and each subject by itself', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const gateway = await startGateway({
    trustedProxies: ['127.0.0.1'],
    routes: [
      {
        prefix: '/',
        upstreams: [upstream.origin],
        access: 'authenticated',
        rate: { subject: { requests: 2, seconds: 3600 } },
      },
    ],
  });
  t.after(() => gateway.close());
  const status = async (sub: string, index: number) =>
    (
      await sendOnce(
        gateway.port,
        `GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.${index}\r\nAuthorization: Bearer ${tokenWith({ sub })}\r\n\r\n`,
      )
    )?.status;
  assert.deepEqual(
    [await status('u1', 1), await status('u1', 2), await status('u1', 3), await status('u2', 4)],
    [200, 200, 429, 200],
  );
});
