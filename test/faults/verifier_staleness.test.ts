// What a verifier does when its news stop, with both clocks moved by hand: normal routes go on for five minutes (or the longest
// token life), sensitive ones for ten seconds, and a verifier that never knew anything says so.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createVerifier, type Verifier, type VerifierOptions } from '@latchkey/core/verifier';
import { makeSnapshot, startIssuer, type TestIssuer, until } from '../support/issuer.ts';

let issuer: TestIssuer;
let verifiers: Verifier[];
let wall: number;
let monotonic: number;

beforeEach(async () => {
  issuer = await startIssuer();
  verifiers = [];
  wall = 0;
  monotonic = 0;
});
afterEach(async () => {
  for (const verifier of verifiers) verifier.close();
  await issuer.close();
});

function start(options: Partial<VerifierOptions> = {}): Verifier {
  const verifier = createVerifier({
    issuer: issuer.issuer,
    audience: issuer.audience,
    now: () => Date.now() + wall,
    monotonic: () => performance.now() + monotonic,
    ...options,
  });
  verifiers.push(verifier);
  return verifier;
}

/** Connected, then the news stop for good. */
async function cutOff(options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const verifier = start(options);
  await verifier.ready();
  await until(() => verifier.status().connected, 'the stream is open');
  issuer.answers.stream = (_request, response) => void response.destroy();
  issuer.answers.snapshot = issuer.answers.stream;
  issuer.cut();
  await until(() => !verifier.status().connected, 'the stream is cut');
  return verifier;
}

/** A token that lives long enough for the clocks of these tests. */
const longToken = (): string => {
  const now = Math.floor(Date.now() / 1000);
  return issuer.token({ iat: now, exp: now + 3_600 });
};

test('by the monotonic clock: sensitive routes refuse after 10 s, normal ones after 5 minutes', async () => {
  const verifier = await cutOff();
  const token = longToken();
  const sensitive = { sensitive: true };
  assert.ok(verifier.verifySync(token, sensitive));
  monotonic = 8_000;
  assert.ok(verifier.verifySync(token, sensitive));
  monotonic = 10_100;
  assert.throws(() => verifier.verifySync(token, sensitive), { code: 'signals_stale' });
  assert.ok(verifier.verifySync(token));
  // The wall clock crawls: an age is told once a millisecond of it.
  wall = 1;
  monotonic = 290_000;
  assert.ok(verifier.verifySync(token));
  wall = 2;
  monotonic = 300_100;
  assert.throws(() => verifier.verifySync(token), { code: 'signals_stale' });
  assert.throws(() => verifier.verifySync(issuer.token({ aud: 'x' })), { code: 'wrong_audience' });
  await assert.rejects(verifier.verify(longToken()), { code: 'signals_stale' });
});

test('by the wall clock too: a machine that slept does not trust what it knew', async () => {
  const verifier = await cutOff();
  const token = longToken();
  wall = 10_100;
  assert.throws(() => verifier.verifySync(token, { sensitive: true }), { code: 'signals_stale' });
  assert.ok(verifier.verifySync(token));
  wall = 300_100;
  assert.throws(() => verifier.verifySync(token), { code: 'signals_stale' });
});

test('a clock set back makes nothing young', async () => {
  const verifier = await cutOff();
  const token = longToken();
  monotonic = 10_100;
  wall = -3_600_000;
  assert.throws(() => verifier.verifySync(token, { sensitive: true }), { code: 'signals_stale' });
});

test('the clock of the verifier is never earlier than the last `as_of`: an expired token stays expired', async () => {
  const verifier = await cutOff();
  const now = Math.floor(Date.now() / 1000);
  const token = issuer.token({ iat: now - 400, exp: now - 100 });
  assert.throws(() => verifier.verifySync(token), { code: 'expired' });
  wall = -300_000;
  assert.throws(() => verifier.verifySync(token), { code: 'expired' });
});

test('a constant difference between the clocks, within the tolerance, is not age', async () => {
  wall = 20_000;
  const verifier = await cutOff();
  assert.ok(verifier.verifySync(longToken(), { sensitive: true }));
  assert.ok(Math.abs((verifier.status().signals?.clockOffsetMs ?? 0) - 20_000) < 2_000);
});

test('a longer token life announced by the issuer moves the limit, up to what the verifier accepts', async () => {
  const snapshot = makeSnapshot(issuer, { position: `${issuer.epoch}-0-tag` }, { max_life: 86_400 });
  issuer.answers.stream = (_request, response) => void response.destroy();
  issuer.answers.snapshot = (_request, response) =>
    void response
      .writeHead(200, { 'content-type': 'application/json', 'latchkey-signature': snapshot.signature })
      .end(snapshot.body);
  const verifier = start({ maxTokenLife: 1_200 });
  await verifier.ready();
  issuer.answers.snapshot = (_request, response) => void response.destroy();
  const now = Math.floor(Date.now() / 1000);
  const token = issuer.token({ iat: now, exp: now + 1_200 });
  wall = 1;
  monotonic = 1_190_000;
  assert.ok(verifier.verifySync(token));
  wall = 2;
  monotonic = 1_201_000;
  assert.throws(() => verifier.verifySync(token), { code: 'signals_stale' });
});

test('silence of 6 s is a cut: the verifier connects again', async () => {
  const verifier = start();
  await verifier.ready();
  await until(() => issuer.open === 1, 'the stream is open');
  issuer.beating = false;
  monotonic = 6_500;
  await until(() => issuer.counts.stream >= 2, 'it connects again');
  issuer.beating = true;
  await until(() => verifier.status().connected, 'the stream is back');
  assert.ok(verifier.verifySync(longToken(), { sensitive: true }));
});

test('never had keys, or keys and no snapshot: 503, not 401', async () => {
  issuer.answers.snapshot = (_request, response) => void response.writeHead(503).end();
  const verifier = start();
  await until(() => verifier.status().keys.length === 1, 'keys are here');
  assert.throws(() => verifier.verifySync(issuer.token()), { code: 'unavailable', reason: 'unavailable' });
  await assert.rejects(verifier.verify(issuer.token()), { code: 'unavailable' });
  await assert.rejects(verifier.ready(50), { code: 'unavailable' });
  issuer.answers.snapshot = undefined;
  await verifier.ready();
  assert.ok(await verifier.verify(issuer.token()));
});

test('the state file: a restart while the issuer is down serves, remembers marks, and counts the age', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
  try {
    const stateFile = join(folder, 'state.json');
    const first = start({ stateFile });
    await first.ready();
    await until(() => issuer.open === 1, 'the stream is open');
    issuer.revoke({ by: 'sid', value: 'gone' });
    const written = (): boolean => {
      try {
        return readFileSync(stateFile, 'utf8').includes('"gone"');
      } catch {
        return false;
      }
    };
    await until(written, 'the state file is written');
    first.close();
    const token = longToken();
    for (const name of ['jwks', 'snapshot', 'stream'] as const) {
      issuer.answers[name] = (_request, response) => void response.destroy();
    }
    const second = start({ stateFile });
    await second.ready();
    assert.ok(second.verifySync(token, { sensitive: true }));
    assert.throws(() => second.verifySync(issuer.token({ sid: 'gone' })), { code: 'revoked' });
    wall = 400_000;
    const third = start({ stateFile });
    assert.throws(() => third.verifySync(token), { code: 'signals_stale' });
    writeFileSync(stateFile, readFileSync(stateFile, 'utf8').replace('"version":2', '"version":3'));
    assert.throws(() => start({ stateFile }).verifySync(token), { code: 'unavailable' });
    writeFileSync(stateFile, '{');
    assert.throws(() => start({ stateFile }).verifySync(token), { code: 'unavailable' });
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
  }
});
