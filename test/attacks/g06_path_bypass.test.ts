// G06 (ASVS 1.1.1, 8.3.1; CVE-2019-9901, CVE-2021-29492, CVE-2026-42272, CVE-2026-42274): spellings of `/admin` that the gateway takes for something else
// and a service takes for `/admin`. `/` is public here, so whatever slips past the one reading is forwarded without a token.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rawClient, sendOnce } from '../../packages/gateway/test_support/raw_client.ts';
import {
  type Stage,
  startGateway,
  startUpstream,
  tokenWith,
  type Upstream,
} from '../../packages/gateway/test_support/stage.ts';

/** The path as the most obliging server imaginable would read it. */
function laxReading(target: string): string {
  let path = target.replace(/^[a-z+.-]+:\/\/[^/]*/i, '').replace(/[?#].*$/s, '');
  for (let round = 0; round < 3; round += 1) {
    path = path
      .replace(/%u00([0-9a-f]{2})/gi, '%$1')
      .replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
        Buffer.from(run.replaceAll('%', ''), 'hex').toString('latin1'),
      );
  }
  path = Buffer.from(path, 'latin1').toString('utf8').normalize('NFKC');
  path = path
    .replace(/[?#].*$/s, '')
    .replace(/\p{Cc}/gu, '')
    .replaceAll('\\', '/')
    .replace(/[\u2044\u2215\u29f8]/g, '/');
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    const plain = segment.replace(/;.*$/, '');
    if (plain === '..') segments.pop();
    else if (plain.replace(/[ .]+$/, '') !== '') segments.push(plain.replace(/[ .]+$/, '').trim());
  }
  return `/${segments.join('/')}`.toLowerCase();
}

const dots = [
  '..',
  '%2e%2e',
  '%2E%2E',
  '.%2e',
  '%2e.',
  '%252e%252e',
  '..;',
  '..;a=b',
  '%2e%2e;',
  '..%00',
  '..%0d',
  '%c0%ae%c0%ae',
  '%u002e%u002e',
  '%ef%bc%8e%ef%bc%8e',
  '%e2%80%a5',
  '..\\',
];
const slashes = [
  '/',
  '%2f',
  '%2F',
  '%5c',
  '%5C',
  '\\',
  '%252f',
  '%255c',
  '//',
  '///',
  '/./',
  '/.//',
  '/%2e/',
  '/;/',
  '/;a=b/',
  '%c0%af',
  '%ef%bc%8f',
  '%e2%88%95',
  '%e2%81%84',
  '/%20/',
  '%09',
  '%2f%2f',
  '/\\',
];
const admins = [
  'admin',
  'ADMIN',
  'Admin',
  '%61dmin',
  'adm%69n',
  '%61%64%6d%69%6e',
  'admin%20',
  'admin.',
  'admin..',
  'admin;x=1',
  'admin%00',
  'admin%00.css',
  'admin%3b',
  'admin%3Bx',
  'admin%23',
  'admin#',
  'admin%3f',
  'admin%2f',
  'admin%5c',
  'admin\\',
  'admin%0a',
  'admin%7f',
  '%2561dmin',
  'admin%252f',
  '%20admin',
  'a%00dmin',
  '%EF%BD%81dmin',
  'admin%25%32%66',
];
const variants = [
  ...slashes.flatMap((slash) => admins.map((admin) => `${slash.startsWith('/') ? '' : '/'}${slash}${admin}`)),
  ...dots.flatMap((dot) => slashes.map((slash) => `/public${slash}${dot}${slash}admin`)),
  ...dots.map((dot) => `/${dot}/admin/users`),
  ...admins.map((admin) => `/${admin}/users`),
  ...admins.map((admin) => `/${admin}?a=1`),
  'http://a/admin',
  'http://evil.test/admin',
  'https://a/admin',
  'http:admin',
  'http:/admin',
  'admin',
  '*',
  '?/admin',
  '/?/../admin',
  '/#/admin',
  '/x#/../admin',
  '//a/admin',
  '//evil.test/admin',
  '/\tadmin',
  '/ad\0min',
  '/\u00e4dmin',
  '/admin\u00a0',
  '/%',
  '/%a',
  '/%zz',
  '/%2',
  '/%e4',
  '/%ed%a0%80',
  '/%f5%80%80%80',
  '/.',
  '/..',
  '/...',
  '/a/..',
  '/a/.',
  '/a//b',
  '/%ff',
];

describe('G06: path bypass', () => {
  let upstream: Upstream;
  let gateway: Stage;
  before(async () => {
    upstream = await startUpstream();
    gateway = await startGateway({
      routes: [
        { prefix: '/', upstreams: [upstream.origin], access: 'public' },
        { prefix: '/admin', upstreams: [upstream.origin], access: { role: 'admin' } },
        { prefix: '/api/patients', upstreams: [upstream.origin], access: { permission: 'records:read' } },
      ],
    });
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  it('has more than 300 variants, and none reaches /admin without a token', async () => {
    assert.ok(variants.length > 300);
    let client = await rawClient(gateway.port);
    let refused = 0;
    for (const target of variants) {
      const forwarded = upstream.seen.length;
      const answer = await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.ok([200, 400, 401].includes(answer.status), `${target}: ${answer.status}`);
      if (answer.status !== 200) {
        refused += 1;
        assert.equal(upstream.seen.length, forwarded, target);
      } else {
        assert.equal(
          upstream.seen.at(-1)?.url,
          target,
          'the path that was matched is the path that is forwarded',
        );
        assert.ok(!/^\/admin(\/|$)/.test(laxReading(target)), `${target} was forwarded`);
      }
      if (
        client.socket.destroyed ||
        answer.headers.some(([name, value]) => name === 'connection' && value === 'close')
      ) {
        client.close();
        client = await rawClient(gateway.port);
      }
    }
    client.close();
    // The check above would pass if all were forwarded that the lax reading does not know: nearly all must be refused.
    assert.ok(refused / variants.length > 0.98, `${refused} of ${variants.length}`);
  });

  it('forwards honest paths byte for byte', async () => {
    const token = tokenWith();
    const honest = [
      '/',
      '/index.html',
      '/a.b.c/d',
      '/.well-known/x',
      '/~user',
      '/a-b_c',
      "/(a)!$&'*+,=:@",
      '/a%20b',
      '/caf%C3%A9',
      '/%E6%97%A5%E6%9C%AC',
      '/100%25',
      '/100%25/x',
      '/a:b',
      '/a@b',
      '/%40x',
      '/x?a=/../admin',
      '/x?a=%2f%2e%2e;//\\',
      '/x?',
      '/x??a',
      '/[id]',
      '/%5Bid%5D',
      '/a/',
      '/administrator',
      '/admins',
      '/public/admin',
      '/..a',
      '/a..b',
      '/.a',
      '/api/patientsx',
      '/api/patients/1/records?limit=10&after=%3D',
    ];
    for (const target of honest) {
      const answer = await sendOnce(
        gateway.port,
        `GET ${target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
      assert.equal(answer?.status, 200, target);
      assert.equal(upstream.seen.at(-1)?.url, target);
    }
  });

  it('matches a prefix by whole segments', async () => {
    const statusOf = async (target: string) =>
      (await sendOnce(gateway.port, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`))?.status;
    for (const target of [
      '/api/patients',
      '/api/patients/',
      '/api/patients/1',
      '/api/patients?x',
      '/admin/',
      '/admin/users',
    ])
      assert.equal(await statusOf(target), 401, target);
    for (const target of ['/api/patientsx', '/api/patient', '/api', '/api/patients-1'])
      assert.equal(await statusOf(target), 200, target);
  });
});
