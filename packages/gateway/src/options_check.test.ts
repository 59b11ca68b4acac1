import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createGateway } from './gateway.ts';
import type { GatewayOptions, Route } from './options.ts';
import { ConfigurationError, checkGatewayOptions } from './options_check.ts';

const good: Route = { prefix: '/api', upstreams: ['http://127.0.0.1:4101'], access: 'public' };
const faultsOf = (options: object) => checkGatewayOptions(options as GatewayOptions);
const routeFaults = (route: object) => faultsOf({ routes: [{ ...good, ...route }] });

it('finds nothing wrong with a plain gateway', () => {
  assert.deepEqual(faultsOf({ routes: [good] }), []);
  assert.deepEqual(
    faultsOf({
      routes: [{ ...good, access: { permission: 'records:read' } }],
      issuer: 'https://a/auth',
      audience: 'https://a',
    }),
    [],
  );
  assert.deepEqual(faultsOf({ routes: [], authUpstream: 'http://127.0.0.1:4000' }), []);
});

it('wants a policy for every route', () => {
  for (const access of [
    undefined,
    'Public',
    'private',
    '',
    null,
    true,
    {},
    { permission: '' },
    { permission: 'A B' },
    { role: 'x', permission: 'y' },
    { roles: 'x' },
    [],
  ]) {
    assert.ok(
      routeFaults({ access }).some((fault) => fault.includes('access')),
      JSON.stringify(access),
    );
  }
});

it('says all faults at once', () => {
  const faults = faultsOf({
    routes: [
      { ...good, prefix: 'api', upstreams: [], sensitve: true },
      { ...good, methods: ['get', 'TRACE'], bodyLimit: -1, host: 'a b' },
      'nonsense',
    ],
    listen: { host: '0.0.0.0', port: 99_999 },
    trustedProxy: [],
    headerLimit: 0,
    tls: { certFile: '' },
  });
  for (const words of [
    'sensitve',
    'prefix',
    'upstreams',
    '"get"',
    'TRACE',
    'bodyLimit',
    'host',
    'routes[2]',
    'listen.port',
    'trustedProxy',
    'headerLimit',
    'keyFile',
  ]) {
    assert.ok(
      faults.some((fault) => fault.includes(words)),
      `${words} in ${faults.join(' | ')}`,
    );
  }
});

it('knows how the signals may be read, and by whom', () => {
  const own = { routes: [good], issuer: 'https://a/auth', audience: 'https://a' };
  const client = { id: 'cli_1', secret: 'cls_1' };
  const signalsUpstream = 'http://127.0.0.1:9400';
  assert.deepEqual(
    faultsOf({ ...own, client, agent: 'edge/1', signals: 'poll', pollInterval: 2_000, signalsUpstream }),
    [],
  );
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ signals: 'off' }, /^signals: must be/],
    [{ client: { id: 'cli_1' } }, /^client\.secret: is missing$/],
    [{ client: 'cli_1:cls_1' }, /^client\.id: is missing\nclient\.secret/],
    [{ signalsUpstream: 'http://127.0.0.1:9400/auth' }, /^signalsUpstream: .* origin/],
    [{ pollInterval: 0 }, /^pollInterval: must be/],
  ];
  for (const [options, expected] of wrong) {
    const faults = faultsOf({ ...own, ...options }).join('\n');
    assert.match(faults, expected);
    assert.doesNotMatch(faults, /cls_/);
  }
  assert.match(
    faultsOf({ routes: [good], verifier: {}, client }).join(),
    /client: a verifier is given as well/,
  );
});

it('opens no port to the network without TLS or a named proxy', () => {
  for (const host of ['0.0.0.0', '::', '192.168.1.5', 'example.test', '']) {
    assert.ok(
      faultsOf({ routes: [good], listen: { host } }).some((fault) => fault.includes('without TLS')),
      host,
    );
  }
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost'])
    assert.deepEqual(faultsOf({ routes: [good], listen: { host } }), [], host);
  assert.deepEqual(
    faultsOf({ routes: [good], listen: { host: '0.0.0.0' }, trustedProxies: ['10.0.0.0/8'] }),
    [],
  );
  assert.deepEqual(
    faultsOf({ routes: [good], listen: { host: '0.0.0.0' }, tls: { certFile: 'a', keyFile: 'b' } }),
    [],
  );
});

it('takes only prefixes with one spelling', () => {
  for (const prefix of [
    '',
    'api',
    '/api/',
    '//',
    '/a//b',
    '/a/../b',
    '/a%20b',
    '/a;b',
    '/a?b',
    '/ä',
    '/a.',
    5,
  ])
    assert.ok(routeFaults({ prefix }).length > 0, String(prefix));
  for (const prefix of ['/', '/a', '/a/b-c_d.e~f', '/.well-known/x'])
    assert.deepEqual(routeFaults({ prefix }), [], prefix);
});

it('takes upstreams as origins alone', () => {
  for (const upstream of [
    '127.0.0.1:1',
    'ftp://a',
    'http://a/x',
    'http://a?x',
    'http://u:p@a',
    'http://a#x',
    5,
  ])
    assert.ok(routeFaults({ upstreams: [upstream] }).length > 0, String(upstream));
  assert.ok(
    !routeFaults({ upstreams: ['http://u:secret@a'] })
      .join()
      .includes('secret'),
  );
});

it('keeps the auth server’s paths for it', () => {
  const withAuth = (prefix: string) =>
    faultsOf({ routes: [{ ...good, prefix }], authUpstream: 'http://127.0.0.1:4000' });
  for (const prefix of [
    '/auth',
    '/auth/admin',
    '/AUTH/token',
    '/.well-known/oauth-authorization-server/auth',
    '/.well-known/ssf-configuration/auth',
  ])
    assert.ok(withAuth(prefix).length > 0, prefix);
  for (const prefix of ['/', '/authx', '/.well-known']) assert.deepEqual(withAuth(prefix), [], prefix);
});

it('sees two routes for one request', () => {
  assert.match(
    faultsOf({ routes: [good, { ...good, methods: ['POST'] }] }).join(),
    /two routes answer POST \/api/,
  );
  assert.match(faultsOf({ routes: [good, { ...good, prefix: '/API' }] }).join(), /case alone/);
  assert.deepEqual(
    faultsOf({
      routes: [
        { ...good, methods: ['GET'] },
        { ...good, methods: ['POST'] },
        { ...good, host: 'b.test' },
      ],
    }),
    [],
  );
});

it('wants a verifier where a token is asked for, and one only', () => {
  const guarded = { ...good, access: 'authenticated' };
  assert.equal(faultsOf({ routes: [guarded] }).length, 2);
  assert.equal(faultsOf({ routes: [guarded], verifier: {}, issuer: 'https://a' }).length, 1);
});

it('makes no gateway of faulty options', () => {
  assert.throws(
    () => createGateway({ routes: [] }),
    (error) => error instanceof ConfigurationError && error.faults.length === 1,
  );
  assert.throws(
    () => createGateway({ routes: [good], issuer: 'http://example.test/auth', audience: 'a' }),
    ConfigurationError,
  );
});
