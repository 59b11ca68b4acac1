// G01 (RFC 9700 §4.13, ASVS 4.1.3; Traefik GHSA-5m6w-wvh7-57vm): a client sends identity headers itself, in every spelling
// that some server reads as one. The service must see exactly one of each, ours; on a public route none at all.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rawClient } from '../../packages/gateway/test_support/raw_client.ts';
import {
  type Seen,
  type Stage,
  startGateway,
  startUpstream,
  tokenWith,
  type Upstream,
} from '../../packages/gateway/test_support/stage.ts';

const names = [
  'X-Auth-Subject',
  'X-Auth-Username',
  'X-Auth-Roles',
  'X-Auth-Scope',
  'X-Auth-Session',
  'X-Auth-Verified',
  'X-User-Id',
  'X-User-Roles',
  'Remote-User',
];
const marks = ['-', '_', '.', '~', '!', '+', '|', '`', "'"];
const spellings = (name: string) =>
  marks.flatMap((mark) => {
    const spelt = name.replaceAll('-', mark);
    const first = name.replace('-', mark);
    return [spelt, spelt.toLowerCase(), spelt.toUpperCase(), first, alternate(spelt)];
  });
const alternate = (text: string) =>
  [...text].map((letter, index) => (index % 2 === 0 ? letter.toLowerCase() : letter.toUpperCase())).join('');
const variants = names
  .flatMap(spellings)
  .flatMap((name) => [
    `${name}: admin\r\n`,
    `${name}: admin\r\n${name.toLowerCase()}: root\r\n`,
    `Connection: keep-alive, ${name}\r\n${name}: admin\r\n`,
  ]);

describe('G01: forged identity headers', () => {
  let upstream: Upstream;
  let gateway: Stage;
  before(async () => {
    upstream = await startUpstream();
    gateway = await startGateway({
      routes: [
        { prefix: '/open', upstreams: [upstream.origin], access: 'public' },
        { prefix: '/api', upstreams: [upstream.origin], access: 'authenticated' },
      ],
    });
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  const identityFields = ({ rawHeaders }: Pick<Seen, 'rawHeaders'>) => {
    const fields: string[] = [];
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      const plain = (rawHeaders[index] as string).toLowerCase().replace(/[^a-z0-9]/g, '-');
      if (/^(x-auth-|x-user-|remote-user)/.test(plain))
        fields.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
    }
    return fields.sort();
  };
  const ours = [
    'X-Auth-Roles: doctor',
    'X-Auth-Scope: records:read',
    'X-Auth-Session: s1',
    'X-Auth-Subject: u1',
    'X-Auth-Username: dana',
  ];

  it('has more than 500 variants, all of which lose', async () => {
    assert.ok(variants.length * 2 > 500);
    const client = await rawClient(gateway.port);
    const bearer = `Authorization: Bearer ${tokenWith()}\r\n`;
    for (const variant of variants) {
      const open = await client.send(`GET /open HTTP/1.1\r\nHost: a\r\n${variant}\r\n`);
      assert.equal(open.status, 200, variant);
      assert.deepEqual(identityFields(upstream.seen.at(-1) as Seen), [], variant);
      const guarded = await client.send(`GET /api HTTP/1.1\r\nHost: a\r\n${bearer}${variant}\r\n`);
      assert.equal(guarded.status, 200, variant);
      assert.deepEqual(identityFields(upstream.seen.at(-1) as Seen), ours, variant);
    }
    client.close();
    assert.equal(upstream.seen.length, variants.length * 2);
  });

  it('removes them from trailers and from the end of a long header list', async () => {
    const client = await rawClient(gateway.port);
    const bearer = `Authorization: Bearer ${tokenWith()}\r\n`;
    const trailers =
      'Trailer: X-Auth-Subject\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Auth-Subject: admin\r\nx_auth_roles: root\r\n\r\n';
    assert.equal((await client.send(`POST /api HTTP/1.1\r\nHost: a\r\n${bearer}${trailers}`)).status, 200);
    const seen = upstream.seen.at(-1) as Seen;
    assert.equal(seen.body, 'a');
    assert.deepEqual(seen.rawTrailers, []);
    assert.deepEqual(identityFields(seen), ours);

    const filler = Array.from({ length: 97 }, (_, index) => `F${index}: ${index}\r\n`).join('');
    assert.equal(
      (await client.send(`GET /api HTTP/1.1\r\nHost: a\r\n${bearer}${filler}X-Auth-Subject: admin\r\n\r\n`))
        .status,
      200,
    );
    assert.deepEqual(identityFields(upstream.seen.at(-1) as Seen), ours);
    client.close();
  });

  it('refuses more fields than the limit instead of losing some on the way', async () => {
    const forwarded = upstream.seen.length;
    const client = await rawClient(gateway.port);
    const filler = Array.from({ length: 2000 }, () => 'F: 1\r\n').join('');
    assert.equal(
      (await client.send(`GET /open HTTP/1.1\r\nHost: a\r\n${filler}X-Auth-Subject: admin\r\n\r\n`)).status,
      431,
    );
    client.close();
    assert.equal(upstream.seen.length, forwarded);
  });

  it('does not forward names that are no field names', async () => {
    const forwarded = upstream.seen.length;
    for (const broken of [
      'X-Auth-Subject : admin',
      ' X-Auth-Subject: admin',
      'X-Auth-Subject\t: admin',
      'X-Auth-\0Subject: admin',
    ]) {
      const client = await rawClient(gateway.port);
      assert.equal(
        (await client.send(`GET /open HTTP/1.1\r\nHost: a\r\n${broken}\r\n\r\n`)).status,
        400,
        broken,
      );
      client.close();
    }
    assert.equal(upstream.seen.length, forwarded);
  });
});
