// K05 (ASVS 11.2.2): a signing key is stolen, and its thief makes tokens. The emergency removal reaches a gateway and a service through
// the signals, long before any copy of the JWK Set is old: from the receipt on nothing that the key has signed or will
// sign is accepted, a verifier that is still served the old set included; honest clients refresh once and go on.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { importPrivateKey, type SigningKey, signAccessToken, TokenError } from '@latchkey/core';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { createGateway } from '../../packages/gateway/src/index.ts';
import { startUpstream } from '../../packages/gateway/test_support/stage.ts';
import { createMasterKey } from '../../packages/server/src/keys/master_key.ts';
import { startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { rowsOf } from '../support/database_file.ts';
import { someClaims } from '../support/issuer.ts';

const endings: (() => unknown)[] = [];
let server: TestAuthServer;
let gateway: string;
let service: Verifier;

before(async () => {
  server = await startAuthServer();
  endings.push(() => server.close());
  service = newVerifier();
  gateway = await startGateway();
  await service.ready();
});
after(async () => {
  for (const end of endings.reverse()) await end();
});

function newVerifier(fetchWith: typeof fetch = fetch): Verifier {
  const { issuer, audience, url } = server;
  const made = createVerifier({ issuer, audience, issuerAddress: `${url}/auth`, fetch: fetchWith });
  endings.push(() => made.close());
  return made;
}

async function startGateway(): Promise<string> {
  const upstream = await startUpstream();
  endings.push(() => upstream.close());
  const { body } = await server.operator('POST', '/auth/admin/clients', { name: 'edge' });
  const edge = createGateway({
    issuer: server.issuer,
    audience: server.audience,
    authUpstream: server.url,
    client: { id: body.id, secret: body.secret },
    routes: [{ prefix: '/records', upstreams: [upstream.origin], access: 'authenticated' }],
    closeTimeout: 100,
  });
  endings.push(() => edge.close());
  const { port } = await edge.listen();
  await edge.ready();
  return `http://127.0.0.1:${port}`;
}

async function atGateway(token: string): Promise<number> {
  const answer = await fetch(`${gateway}/records`, { headers: { authorization: `Bearer ${token}` } });
  await answer.arrayBuffer();
  return answer.status;
}

function atVerifier(token: string, verifier = service): boolean {
  try {
    verifier.verifySync(token);
    return true;
  } catch (error) {
    assert.ok(error instanceof TokenError);
    return false;
  }
}

async function becomes(condition: () => boolean | Promise<boolean>, words: string): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; await pause(5))
    if (await condition()) return;
  assert.fail(`waited in vain: ${words}`);
}

const headerOf = (token: string): { kid: string } =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());

/** What somebody has who has read the disk: the key that signs now. */
function stolenKey(): SigningKey {
  const secret = Buffer.from(readFileSync(join(server.dataDir, 'master.key'), 'utf8').trim(), 'base64url');
  const [row] = rowsOf(server.dataDir, "SELECT kid, private_key FROM signing_keys WHERE state = 'current'");
  const kid = String(row?.['kid']);
  return importPrivateKey(createMasterKey(secret).unwrap(String(row?.['private_key']), kid), 'ES256', kid);
}

const forged = (key: SigningKey): string => signAccessToken(someClaims(server), key);

test('the removal is in force everywhere with its receipt, and the stolen key is worth nothing any more', async () => {
  const honest = await server.login(server.admin.username, server.admin.password);
  const jwks = await (await fetch(`${server.url}/auth/.well-known/jwks.json`)).text();
  const key = stolenKey();
  const made = forged(key);
  for (const token of [honest.access_token, made]) {
    assert.equal(await atGateway(token), 200, 'the forgery is a good one');
    assert.ok(atVerifier(token));
  }
  await becomes(
    async () => (await server.operator('GET', '/auth/admin/verifiers')).body.items.length === 1,
    'the gateway is in the fleet',
  );

  const removed = await server.operator('DELETE', `/auth/admin/keys/${key.kid}?wait=applied&timeout=30`);
  const receipt = removed.body as unknown as { applied: { name: string }[]; pending: object[] };
  assert.deepEqual([receipt.applied.map(({ name }) => name), receipt.pending], [['edge'], []]);
  const dead = [honest.access_token, made, forged(key)];
  for (const token of dead) assert.equal(await atGateway(token), 401);
  await becomes(() => !atVerifier(made), 'the service has heard it too');
  for (const token of [...dead, forged(key)]) assert.ok(!atVerifier(token));

  // Its honest holders hear that a new token helps: the key has left the set, and is not merely unknown.
  const keySet = () => service.status().keys;
  await becomes(() => !keySet().includes(key.kid), 'the key set is the new one');
  assert.throws(() => service.verifySync(honest.access_token), { code: 'revoked' });

  // Under the name of a key that is good, what the stolen one signs is no signature.
  const { body } = await server.call('GET', '/auth/.well-known/jwks.json');
  assert.ok(!JSON.stringify(body).includes(key.kid));
  for (const { kid } of body.keys) {
    const disguised = forged(
      importPrivateKey(key.key.export({ format: 'der', type: 'pkcs8' }), 'ES256', kid),
    );
    assert.equal(await atGateway(disguised), 401);
    assert.ok(!atVerifier(disguised));
  }

  // A cache on the way may serve the old set for as long as it was told to: it does not bring the key back.
  const behindCache = newVerifier(async (input, init) =>
    String(input).endsWith('/jwks.json')
      ? new Response(jwks, {
          headers: { 'content-type': 'application/json', 'cache-control': 'max-age=300' },
        })
      : await fetch(input, init),
  );
  await behindCache.ready();
  assert.ok(behindCache.status().keys.includes(key.kid));
  for (const token of [made, forged(key)]) assert.ok(!atVerifier(token, behindCache));

  // Nobody is signed out: the refresh token is not the key's.
  const { status, body: renewed } = await server.refresh(honest.refresh_token);
  assert.equal(status, 200);
  assert.notEqual(headerOf(renewed.access_token).kid, key.kid);
  assert.equal(await atGateway(renewed.access_token), 200);
  assert.ok(atVerifier(renewed.access_token) && atVerifier(renewed.access_token, behindCache));
});

test('the key that takes over can be removed as well, and so can one that has never signed', async () => {
  for (const state of ['current', 'next']) {
    const { items } = (await server.operator('GET', '/auth/admin/keys')).body;
    const kid = items.find((key) => key.state === state)?.kid;
    const { access_token: before } = await server.login(server.admin.username, server.admin.password);
    const path = `/auth/admin/keys/${kid}?wait=applied&timeout=30`;
    const { status, text } = await server.operator('DELETE', path);
    assert.equal(status, 200, text);
    assert.equal(await atGateway(before), state === 'current' ? 401 : 200);
    const { access_token: later } = await server.login(server.admin.username, server.admin.password);
    await becomes(async () => (await atGateway(later)) === 200, 'the new key is known at the gateway');
    await becomes(() => atVerifier(later), 'and at the service');
  }
});
