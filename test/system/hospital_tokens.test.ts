// Both services verify every token again. Each refusal is a 401 after RFC 6750 that does not say which check failed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { exportPrivateKey, generateKeyPair, importPrivateKey, signAccessToken } from '@latchkey/core';
import { type Hospital, type Reply, startHospital } from './hospital_fixture.ts';
import type { Person } from './hospital_issuer.ts';

let hospital: Hospital;
let grey: Person;
before(async () => {
  hospital = await startHospital();
  grey = hospital.people['dr.grey'] as Person;
});
after(() => hospital.close());

const paths = [
  ['records', '/api/patients'],
  ['appointments', '/api/appointments'],
] as const;

const both = (init: { token?: string; headers?: Record<string, string> }): Promise<Reply[]> =>
  Promise.all(paths.map(([name, path]) => hospital.call(name, path, init)));

function bend(token: string, part: 0 | 1, change: object): string {
  const parts = token.split('.');
  const value = JSON.parse(Buffer.from(parts[part] ?? '', 'base64url').toString());
  parts[part] = Buffer.from(JSON.stringify({ ...value, ...change })).toString('base64url');
  return parts.join('.');
}

/** Each makes a token that must be refused, and the reason that may be told. */
const refused: Record<string, () => [token: string, reason: string]> = {
  'a changed payload': () => [
    bend(hospital.issuer.tokenFor(hospital.people['ann.lee'] as Person), 1, {
      roles: ['doctor'],
      scope: 'records:read',
    }),
    'invalid',
  ],
  'a signature cut off, alg none': () => [
    `${bend(hospital.issuer.tokenFor(grey), 0, { alg: 'none' }).split('.').slice(0, 2).join('.')}.`,
    'invalid',
  ],
  'a foreign key under the same kid': () => {
    const real = hospital.issuer.sign({ typ: 'at+jwt' }, {}).split('.')[0] ?? '';
    const { kid } = JSON.parse(Buffer.from(real, 'base64url').toString()) as { kid: string };
    const foreign = importPrivateKey(exportPrivateKey(generateKeyPair('ES256').signingKey), 'ES256', kid);
    return [signAccessToken(hospital.issuer.claimsOf(grey), foreign), 'invalid'];
  },
  'an expired token': () => {
    const now = Math.floor(Date.now() / 1000);
    return [hospital.issuer.tokenFor(grey, { iat: now - 400, exp: now - 100 }), 'expired'];
  },
  'a token for another audience': () => [
    hospital.issuer.tokenFor(grey, { aud: hospital.issuer.issuer }),
    'invalid',
  ],
  'another kind of token by the right key': () => [
    hospital.issuer.sign({ typ: 'signals+jwt' }, hospital.issuer.claimsOf(grey)),
    'invalid',
  ],
  'no token at all': () => ['not-a-token', 'malformed'],
};

for (const [name, make] of Object.entries(refused)) {
  test(`${name} is refused by both services`, async () => {
    const [token, reason] = make();
    for (const { status, headers, body, text } of await both({ token })) {
      assert.equal(status, 401);
      assert.match(headers.get('www-authenticate') ?? '', /^Bearer error="invalid_token"/);
      assert.equal(body.reason, reason);
      assert.equal(body.request_id, headers.get('x-request-id'));
      assert.ok(!text.includes(token), 'the token is not echoed');
    }
  });
}

test('without a token: the bare challenge; with two: 400', async () => {
  for (const { status, headers } of await both({})) {
    assert.deepEqual([status, headers.get('www-authenticate')], [401, 'Bearer']);
  }
  const token = hospital.issuer.tokenFor(grey);
  for (const { status } of await both({ headers: { authorization: `Bearer ${token}, Bearer ${token}` } })) {
    assert.equal(status, 400);
  }
});

test('identity headers from outside change nothing', async () => {
  const token = hospital.issuer.tokenFor(hospital.people['ann.lee'] as Person);
  const headers = { 'x-auth-subject': grey.sub, 'x-auth-roles': 'doctor', 'x-auth-scope': 'records:read' };
  const { body } = await hospital.call('records', '/api/patients', { token, headers });
  assert.deepEqual(
    body.items.map(({ id }) => id),
    ['p-1001'],
  );
});

/** Asks until the answer changes; a service that never hears of the mark fails the test by its reason. */
async function untilRefused(token: string, reason: string): Promise<void> {
  for (const [name, path] of paths) {
    for (let tries = 0; tries < 100; tries++) {
      const { status, body } = await hospital.call(name, path, { token });
      if (status === 401) {
        assert.equal(body.reason, reason);
        break;
      }
      assert.notEqual(tries, 99, `${name} has not heard of it`);
      await pause(20);
    }
  }
}

test('a revoked session is dead at both services, another one of the same person is not', async () => {
  const [ended, alive] = [
    hospital.issuer.tokenFor(grey, { sid: 'session-that-ends' }),
    hospital.issuer.tokenFor(grey),
  ];
  assert.deepEqual(
    (await both({ token: ended })).map(({ status }) => status),
    [200, 200],
  );
  hospital.issuer.mark({ kind: 'revoke', by: 'sid', value: 'session-that-ends' });
  await untilRefused(ended, 'revoked');
  assert.deepEqual(
    (await both({ token: alive })).map(({ status }) => status),
    [200, 200],
  );
});

test('changed roles make a token stale, and the next version is welcome', async () => {
  const joy = hospital.people['nurse.joy'] as Person;
  const token = hospital.issuer.tokenFor(joy);
  hospital.issuer.mark({ kind: 'stale', by: 'sub', value: joy.sub, below: 2 });
  await untilRefused(token, 'stale');
  const next = hospital.issuer.tokenFor(joy, { ver: 2 });
  assert.deepEqual(
    (await both({ token: next })).map(({ status }) => status),
    [200, 200],
  );
});

test('no token and no key is ever written to the output', async () => {
  const token = hospital.issuer.tokenFor(grey);
  await both({ token });
  await both({ token: `${token}x` });
  for (const { output } of Object.values(hospital.services))
    assert.ok(!/eyJ|Bearer/.test(output()), output());
});
