// K04: a token is signed with a key that some verifier cannot have yet, or checked after its key was withdrawn. Twenty
// scheduled rotations with a moved clock, verifiers that look at the JWK Set only when their copy is as old as it may be,
// and never on account of an unknown kid: 0 failures.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type KeySet, parseJwkSet, signJwt, verifyJwt } from '@latchkey/core';
import { createMasterKey } from '../../packages/server/src/keys/master_key.ts';
import { openSigningKeyring } from '../../packages/server/src/keys/signing_keyring.ts';
import { clockSkew, jwksMaxAge } from '../../packages/server/src/rules/lifetimes.ts';
import { createSignalPublisher } from '../../packages/server/src/signals/publisher.ts';
import { migrate } from '../../packages/server/src/storage/schema.ts';
import { openSqlite } from '../../packages/server/src/storage/sqlite.ts';
import { startAuthServer } from '../support/auth_server.ts';
import { movedClock } from '../support/clock.ts';

const directory = mkdtempSync(join(tmpdir(), 'lk-k04-'));
after(() => rmSync(directory, { recursive: true }));
const clock = movedClock();
const every = 3600;
const tokenLife = 300;
const origin = { actor: 'system', ip: 'local', requestId: 'test' };

interface Verifier {
  /** Seconds that this one keeps its copy: the answer's max-age, and up to the allowed skew more. */
  readonly keeps: number;
  keys: KeySet;
  fetchedAt: number;
}

const rules = { algorithms: ['ES256'], issuer: 'i', audience: 'a' } as const;

test('twenty rotations: every token verifies everywhere, from its first second to its last', async () => {
  const database = openSqlite({ file: join(directory, 'keys.db'), now: clock.now });
  await migrate(database);
  const signals = createSignalPublisher(
    async () => tokenLife,
    () => {},
  );
  const keyring = await openSigningKeyring(
    {
      database,
      masterKey: createMasterKey(randomBytes(32)),
      signals,
      policy: { alg: 'ES256', every: every * 1000 },
      longestTokenLife: async () => tokenLife,
    },
    origin,
  );
  const look = (): Pick<Verifier, 'keys' | 'fetchedAt'> => ({
    keys: parseJwkSet(JSON.parse(keyring.published.body)),
    fetchedAt: clock.now(),
  });
  // Copies of different ages, the worst of them exactly as stale as it may be.
  const verifiers: Verifier[] = [0, 37, 149, 223, 299].map((offset) => ({
    ...look(),
    keeps: offset % 2 === 0 ? jwksMaxAge : jwksMaxAge + clockSkew - 1,
  }));
  const signers = new Set<string>();
  let running: { token: string; exp: number }[] = [];
  let checks = 0;
  while (signers.size <= 20) {
    clock.move(31);
    await keyring.rotate(origin);
    const now = Math.floor(clock.now() / 1000);
    signers.add(keyring.current.kid);
    const claims = { iss: 'i', aud: 'a', sub: 's', jti: 'j', iat: now, exp: now + tokenLife };
    running = running.filter(({ exp }) => exp > now);
    running.push({ token: signJwt(claims, keyring.current), exp: claims.exp });
    for (const verifier of verifiers) {
      if (clock.now() - verifier.fetchedAt >= verifier.keeps * 1000) Object.assign(verifier, look());
      for (const { token } of [running[0], running.at(-1)] as { token: string }[]) {
        verifyJwt(token, verifier.keys, { ...rules, now: clock.now() });
        checks += 1;
      }
    }
  }
  assert.ok(checks > 10_000, String(checks));
  assert.ok(JSON.parse(keyring.published.body).keys.length <= 3, 'spent keys leave the set');
  await database.close();
});

test('over HTTP: an early rotation is refused with the time to wait; a token from before outlives one that is due', async () => {
  const server = await startAuthServer({ now: clock.now });
  try {
    const rotate = () => server.operator('POST', '/auth/admin/keys/rotate', {});
    const published = async () => {
      const { body } = await server.call('GET', '/auth/.well-known/jwks.json');
      return body.keys.map(({ kid }) => kid);
    };
    const login = () => server.login(server.admin.username, server.admin.password);
    assert.equal((await rotate()).status, 200, 'the first successor has been published from the beginning');
    const early = await rotate();
    assert.deepEqual([early.status, early.body.reason], [409, 'too_early']);
    const before = await published();
    clock.move(jwksMaxAge + clockSkew - 1);
    assert.equal((await rotate()).status, 409);
    clock.move(1);
    const { access_token: token } = await login();
    const rotated = await rotate();
    assert.equal(rotated.status, 200);
    assert.ok(before.includes(rotated.body.kid), 'what signs now was published before');
    const { access_token: fresh } = await login();
    const kidOf = (jwt: string) =>
      JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()).kid;
    assert.equal(kidOf(fresh), rotated.body.kid);
    assert.notEqual(kidOf(token), kidOf(fresh));
    assert.ok((await published()).includes(kidOf(token)));
    assert.equal((await server.call('GET', '/auth/me', { token })).status, 200);
  } finally {
    await server.close();
  }
});
