// What a stream says counts only once a signed heartbeat closes it. Events that do not fit and heartbeats that are forged, foreign, replayed
// or of another batch make nobody believe a mark and nobody fresh: the verifier takes the snapshot and forgets nothing.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { exportPrivateKey, generateKeyPair, importPrivateKey } from '@latchkey/core';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import {
  frameOf,
  makeHeartbeat,
  type SignalEvent,
  startIssuer,
  type TestIssuer,
  until,
} from '../support/issuer.ts';

let issuer: TestIssuer;
let verifier: Verifier;
let monotonic: number;

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

const forged: SignalEvent = { id: '', event: 'revoke', data: '{"by":"sid","value":"forged"}' };

/** Each text leads to the snapshot, no mark of it is believed, and the one that was there stays. */
async function allRefused(texts: readonly ((seq: number) => string)[]): Promise<void> {
  issuer.revoke({ by: 'sid', value: 'kept' });
  await until(() => verifier.isRevoked({ sid: 'kept' }) === 'revoked', 'the mark is there');
  for (const [at, text] of texts.entries()) {
    const { snapshot } = issuer.counts;
    await until(() => verifier.status().connected && issuer.open === 1, 'the stream is open');
    issuer.write(text(issuer.seq));
    await until(() => issuer.counts.snapshot > snapshot, `the snapshot is taken after text ${at}`);
    assert.equal(verifier.isRevoked({ sid: 'forged' }), undefined, `text ${at}`);
  }
  await until(() => verifier.status().connected, 'the stream is back');
  assert.equal(verifier.isRevoked({ sid: 'kept' }), 'revoked');
  assert.equal(verifier.status().marks, 1);
}

test('events that are replayed, reordered, corrupt, unknown or oversized', async () => {
  const { epoch } = issuer;
  const next = (seq: number) => `id: ${epoch}-${seq + 1}-tag\n`;
  const mark = `event: revoke\ndata: ${forged.data}\n\n`;
  await allRefused([
    (seq) => `id: ${epoch}-${seq}-tag\n${mark}`,
    (seq) => `id: ${epoch}-${seq + 2}-tag\n${mark}`,
    (seq) => `id: other-${seq + 1}-tag\n${mark}`,
    (seq) => `id: ${epoch}-${seq + 1}-\n${mark}`,
    (seq) => `${next(seq)}event: revoke\ndata: {"by":"sid"\n\n`,
    (seq) => `${next(seq)}event: revoke\ndata: {"by":"sid","by":"sid","value":"forged"}\n\n`,
    (seq) => `${next(seq)}event: revoke\ndata: {"by":"planet","value":"forged"}\n\n`,
    (seq) => `${next(seq)}event: revoke\ndata: {"by":"sub","value":"forged"}\n\n`,
    (seq) => `${next(seq)}event: stale\ndata: ${forged.data}\n\n`,
    (seq) => `${next(seq)}event: something-new\ndata: {}\n\n`,
    () => mark,
    () => 'event: reset\ndata: {}\n\n',
    () => `data: ${'x'.repeat(9_000)}`,
  ]);
});

test('heartbeats that are unsigned, forged, foreign, of another batch or of another kind', async () => {
  const stranger = generateKeyPair('ES256').signingKey;
  const impostor = importPrivateKey(exportPrivateKey(stranger), 'ES256', issuer.key.kid);
  const closedBy =
    (heartbeat: (batch: { from: number; batch: readonly SignalEvent[] }, seq: number) => string) =>
    (seq: number): string => {
      const event = { ...forged, id: `${issuer.epoch}-${seq + 1}-tag` };
      return frameOf(event) + heartbeat({ from: seq, batch: [event] }, seq);
    };
  const said = (signed: (seq: number) => Record<string, unknown>) =>
    closedBy((batch, seq) => makeHeartbeat(issuer, batch, { seq: seq + 1, ...signed(seq) }));
  await allRefused([
    closedBy(() => 'event: heartbeat\ndata: {}\n\n'),
    closedBy((_, seq) => `event: heartbeat\ndata: {"as_of":1,"seq":${seq + 1},"max_life":300}\n\n`),
    closedBy((batch, seq) => makeHeartbeat({ ...issuer, key: stranger }, batch, { seq: seq + 1 })),
    closedBy((batch, seq) => makeHeartbeat({ ...issuer, key: impostor }, batch, { seq: seq + 1 })),
    closedBy((batch, seq) => makeHeartbeat(issuer, batch, { seq: seq + 1 }, { typ: 'at+jwt' })),
    closedBy((batch, seq) => makeHeartbeat(issuer, { ...batch, batch: [] }, { seq: seq + 1 })),
    closedBy((batch) => makeHeartbeat(issuer, batch)),
    said((seq) => ({ from: seq - 1 })),
    said((seq) => ({ seq: seq + 2 })),
    said(() => ({ from: undefined })),
    said(() => ({ sha256: 'AAAA' })),
    said(() => ({ iss: `${issuer.issuer}/other` })),
    said(() => ({ epoch: 'other' })),
    said(() => ({ as_of: 'now' })),
  ]);
});

test('a heartbeat of a key that a mark revokes', async () => {
  const stolen = issuer.key;
  const next = generateKeyPair('ES256').signingKey;
  issuer.keys.push(next);
  issuer.key = next;
  issuer.announceKeys();
  issuer.revoke({ by: 'kid', value: stolen.kid });
  await until(() => verifier.isRevoked({}, stolen.kid) === 'revoked', 'the key is marked');
  const { snapshot } = issuer.counts;
  await until(() => verifier.status().connected && issuer.open === 1, 'the stream is open');
  const event = { ...forged, id: `${issuer.epoch}-${issuer.seq + 1}-tag` };
  const signer = { ...issuer, key: stolen };
  issuer.write(
    frameOf(event) + makeHeartbeat(signer, { from: issuer.seq, batch: [event] }, { seq: issuer.seq + 1 }),
  );
  await until(() => issuer.counts.snapshot > snapshot, 'the snapshot is taken');
  await until(() => verifier.status().connected, 'the stream is back');
  assert.equal(verifier.isRevoked({ sid: 'forged' }), undefined);
});

test('events without a heartbeat are held: applied together when it comes, forgotten when there are too many', async () => {
  issuer.beating = false;
  const asOf = verifier.status().asOf ?? 0;
  for (let at = 0; at < 3; at += 1) issuer.revoke({ by: 'sid', value: `held${at}` });
  issuer.write('event: something-new\ndata: {}\n\n');
  assert.equal(verifier.status().marks, 0);
  issuer.beating = true;
  await until(() => verifier.status().marks === 3, 'all of them are applied');
  assert.ok((verifier.status().asOf ?? 0) > asOf);
  assert.equal(issuer.counts.snapshot, 1);
  issuer.beating = false;
  for (let at = 0; at < 1_001; at += 1) issuer.revoke({ by: 'jti', value: `many${at}` });
  await until(() => issuer.counts.snapshot === 2, 'the snapshot is taken');
  await until(() => verifier.status().marks === 1_004, 'all of them are here');
});

test('a replayed heartbeat makes nobody fresh', async () => {
  issuer.beating = false;
  const none = { from: issuer.seq, batch: [] };
  const earlier = makeHeartbeat({ ...issuer, clockOffset: 10 }, none);
  const latest = makeHeartbeat({ ...issuer, clockOffset: 50 }, none);
  issuer.write(earlier + latest);
  const asOf = Number(/"as_of":(\d+)/.exec(latest)?.[1]);
  await until(() => verifier.status().asOf === asOf, 'the heartbeats are heard');
  issuer.answers.stream = (_request, response) => void response.destroy();
  issuer.answers.snapshot = issuer.answers.stream;
  const { snapshot } = issuer.counts;
  monotonic = 5_000;
  issuer.write(`${earlier}${latest}${earlier}${latest}event: reset\ndata: {}\n\n`);
  await until(() => issuer.counts.snapshot > snapshot, 'all of it was read');
  assert.equal(verifier.status().asOf, asOf);
  assert.ok(verifier.status().staleForMs >= 5_000);
  monotonic = 10_100;
  assert.throws(() => verifier.verifySync(issuer.token(), { sensitive: true }), { code: 'signals_stale' });
  assert.ok(verifier.verifySync(issuer.token()));
});
