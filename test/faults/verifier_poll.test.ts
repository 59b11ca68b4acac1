// A verifier where long connections are impossible: it looks at the snapshot again and again. What changed arrives all the same, what did
// not change is not sent again, and what stands still, is older or is signed by somebody else makes nobody fresh.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { generateKeyPair } from '@latchkey/core';
import { createVerifier, type Verifier, type VerifierOptions } from '@latchkey/core/verifier';
import { makeSnapshot, startIssuer, type TestIssuer, until } from '../support/issuer.ts';

let issuer: TestIssuer;
let verifiers: Verifier[];
let monotonic: number;

beforeEach(async () => {
  issuer = await startIssuer();
  verifiers = [];
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
    signals: 'poll',
    pollInterval: 500,
    monotonic: () => performance.now() + monotonic,
    ...options,
  });
  verifiers.push(verifier);
  return verifier;
}

async function polling(options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const verifier = start(options);
  await until(() => verifier.status().connected, 'the snapshot is here');
  return verifier;
}

test('marks, keys and epochs arrive without a stream; what has not changed is not sent again', async () => {
  const verifier = await polling();
  assert.equal(verifier.status().mode, 'poll');
  const asOf = verifier.status().asOf ?? 0;
  await until(() => issuer.counts.notModified > 0, 'nothing has changed');
  await until(() => (verifier.status().asOf ?? 0) > asOf, 'and the verifier has heard that');
  issuer.revoke({ by: 'sid', value: 'gone' });
  await until(() => verifier.isRevoked({ sid: 'gone' }) === 'revoked', 'the mark is there');
  const next = generateKeyPair('ES256').signingKey;
  issuer.keys.push(next);
  issuer.announceKeys();
  await until(() => verifier.status().keys.includes(next.kid), 'a snapshot may have skipped a `keys` signal');
  issuer.newEpoch();
  await until(() => verifier.status().signals?.epoch === issuer.epoch, 'the new epoch is followed');
  assert.equal(verifier.isRevoked({ sid: 'gone' }), 'revoked');
  assert.equal(issuer.counts.stream, 0);
  assert.equal(verifier.status().connected, true);
});

test('an answer "not modified" counts only with a new signature over what is held', async () => {
  const verifier = await polling();
  const position = `${issuer.epoch}-0-tag`;
  const honest = makeSnapshot(issuer, { position });
  const answered = (signature: string): void => {
    issuer.answers.snapshot = ({ headers }, response) => {
      const status = headers['if-none-match'] === undefined ? 503 : 304;
      response.writeHead(status, { 'latchkey-signature': signature }).end();
    };
  };
  for (const signature of [
    honest.signature,
    makeSnapshot({ ...issuer, key: generateKeyPair('ES256').signingKey }, { position }).signature,
    '',
  ]) {
    answered(signature);
    await until(() => !verifier.status().connected, 'it is not believed');
    const { snapshot } = issuer.counts;
    await until(() => issuer.counts.snapshot > snapshot, 'the whole document is asked for');
    assert.equal(issuer.asked.snapshot?.['if-none-match'], undefined);
    issuer.answers.snapshot = undefined;
    await until(() => verifier.status().connected, 'the honest answer is');
  }
});

test('cut off, it becomes stale; the news of a key that is not here yet are fetched with the key', async () => {
  const verifier = await polling();
  const token = issuer.token();
  issuer.answers.snapshot = (_request, response) => void response.destroy();
  await until(() => !verifier.status().connected, 'it is cut off');
  monotonic = 10_100;
  assert.throws(() => verifier.verifySync(token, { sensitive: true }), { code: 'signals_stale' });
  assert.ok(verifier.verifySync(token));
  const next = generateKeyPair('ES256').signingKey;
  issuer.keys.push(next);
  issuer.key = next;
  issuer.answers.snapshot = undefined;
  await until(() => verifier.status().connected, 'it is back');
  assert.ok(verifier.verifySync(issuer.token(), { sensitive: true }));
});

test('a restart from the state file while the issuer is down', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
  try {
    const stateFile = join(folder, 'state.json');
    issuer.lose({ by: 'sid', value: 'gone' });
    const first = start({ stateFile });
    await first.ready();
    const written = (): boolean => {
      try {
        return readFileSync(stateFile, 'utf8').includes('"gone"');
      } catch {
        return false;
      }
    };
    await until(written, 'the state file is written');
    first.close();
    const token = issuer.token();
    for (const name of ['jwks', 'snapshot'] as const)
      issuer.answers[name] = (_request, response) => void response.destroy();
    const second = start({ stateFile });
    await second.ready();
    assert.ok(second.verifySync(token));
    assert.throws(() => second.verifySync(issuer.token({ sid: 'gone' })), { code: 'revoked' });
    issuer.answers = {};
    issuer.lose({ by: 'sid', value: 'later' });
    await until(() => second.isRevoked({ sid: 'later' }) === 'revoked', 'it goes on');
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
  }
});
