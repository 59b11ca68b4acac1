// Keys that change while signals are followed: whatever way the news of a new or withdrawn key takes, the verifier learns of it, and a
// snapshot is only believed when a key signs it that still counts.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { exportPublicJwk, generateKeyPair } from '@latchkey/core';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { startIssuer, type TestIssuer, until } from '../support/issuer.ts';

let issuer: TestIssuer;
let verifier: Verifier;
let monotonic: number;
const next = generateKeyPair('ES256').signingKey;

beforeEach(async () => {
  monotonic = 0;
  issuer = await startIssuer();
  verifier = createVerifier({
    issuer: issuer.issuer,
    audience: issuer.audience,
    monotonic: () => performance.now() + monotonic,
  });
  await verifier.ready();
  await until(() => verifier.status().connected && issuer.open === 1, 'the stream is open');
});
afterEach(async () => {
  verifier.close();
  await issuer.close();
});

test('a `keys` signal while a fetch is under way: fetched again, the answer may be older than the signal', async () => {
  const old = JSON.stringify({ keys: [exportPublicJwk(issuer.key)] });
  let release = (): void => {};
  issuer.answers.jwks = (_request, response) => {
    issuer.answers.jwks = undefined;
    release = () => void response.writeHead(200, { 'content-type': 'application/json' }).end(old);
  };
  issuer.announceKeys();
  await until(() => issuer.counts.jwks === 2, 'the first fetch is under way');
  issuer.keys.push(next);
  issuer.announceKeys();
  issuer.announceKeys();
  await until(() => verifier.status().signals?.seq === 3, 'the signals are taken');
  release();
  await until(() => verifier.status().keys.includes(next.kid), 'the new key is there');
  assert.equal(issuer.counts.jwks, 3, 'the signals that waited are one fetch');
});

test('a snapshot signed with a key that is not here yet: the key set is fetched, then the snapshot', async () => {
  issuer.keys = [next];
  issuer.key = next;
  issuer.lose({ by: 'sid', value: 'lost' });
  await until(() => verifier.isRevoked({ sid: 'lost' }) === 'revoked', 'the snapshot is believed');
});

test('a gap may have held a `keys` signal: the key set is fetched after the snapshot', async () => {
  issuer.keys.push(next);
  issuer.lose({ by: 'sid', value: 'lost' });
  await until(() => verifier.status().keys.includes(next.kid), 'the new key is there');
});

test('a snapshot signed with a revoked key is not believed, although the key set still holds the key', async () => {
  issuer.revoke({ by: 'kid', value: issuer.key.kid });
  await until(() => verifier.status().marks === 1, 'the mark is there');
  const { snapshot } = issuer.counts;
  issuer.lose({ by: 'sid', value: 'forged' });
  await until(() => issuer.counts.snapshot >= snapshot + 2, 'snapshots are asked for');
  assert.equal(verifier.isRevoked({ sid: 'forged' }), undefined);
  issuer.keys = [next];
  issuer.key = next;
  await until(() => verifier.isRevoked({ sid: 'forged' }) === 'revoked', 'one signed with a good key is');
});

test('an `as_of` that goes back makes nothing young, and the clock does not go back with it', async () => {
  issuer.clockOffset = -30_000;
  const asOf = verifier.status().asOf ?? 0;
  monotonic = 10_100;
  await pause(200);
  assert.throws(() => verifier.verifySync(issuer.token(), { sensitive: true }), { code: 'signals_stale' });
  assert.ok((verifier.status().asOf ?? 0) >= asOf);
  issuer.clockOffset = 0;
  await until(() => (verifier.status().staleForMs ?? 0) < 5_000, 'the honest clock is heard again');
  assert.ok(verifier.verifySync(issuer.token(), { sensitive: true }));
});
