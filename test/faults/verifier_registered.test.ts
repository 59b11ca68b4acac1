// A registered reader: it shows its credential to the issuer and to nobody else, and acknowledges what is in force, at the pace that
// docs/protocol/signals.md sets. Whatever becomes of an acknowledgement, requests are decided as before.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { generateKeyPair } from '@latchkey/core';
import { createVerifier, type Verifier, type VerifierOptions } from '@latchkey/core/verifier';
import { startIssuer, type TestIssuer, until } from '../support/issuer.ts';

const secret = 'a secret: with/odd+characters';
const client = { id: 'cli_records', secret };

let issuer: TestIssuer;
let verifier: Verifier | undefined;
let clock: number;

beforeEach(async () => {
  issuer = await startIssuer();
  // Stands still until a test moves it.
  clock = 100_000;
});
afterEach(async () => {
  verifier?.close();
  await issuer.close();
});

async function registered(options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  verifier = createVerifier({
    issuer: issuer.issuer,
    audience: issuer.audience,
    client,
    monotonic: () => clock,
    ...options,
  });
  await verifier.ready();
  await until(() => verifier?.status().connected === true, 'it is connected');
  return verifier;
}

const count = (): number => issuer.acknowledgements.length;
const last = () => issuer.acknowledgements.at(-1);
const revokeMany = (): void => {
  for (let at = 0; at < 5; at += 1) issuer.revoke({ by: 'sid', value: `s${issuer.seq}` });
};
/** In steps that are shorter than a silence would be. */
async function advance(steps: number): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    const { asOf = 0 } = verifier?.status() ?? {};
    clock += 3_000;
    await until(() => (verifier?.status().asOf ?? 0) > asOf, 'a heartbeat is heard');
  }
}
/** As long as a timer of the verifier takes to look again, twice. */
const nothingMore = async (expected: number): Promise<void> => {
  await pause(500);
  assert.equal(count(), expected);
};

test('at once, then once a second; when asked, at once and ten times a second; every 20 s; the last word at the end', async () => {
  const reader = await registered();
  const { instance } = reader.status();
  assert.match(instance, /^[A-Za-z0-9_-]{22}$/);
  await until(() => count() === 1, 'it says where it is');
  assert.deepEqual(last(), { instance, epoch: issuer.epoch, seq: 0 });
  revokeMany();
  await until(() => reader.status().signals?.seq === 5, 'the marks are applied');
  await nothingMore(1);
  clock += 1_000;
  await until(() => count() === 2, 'one acknowledgement for all of them');
  assert.equal(last()?.seq, 5);
  await until(() => reader.status().signals?.acknowledged === 5, 'it knows that it was heard');
  clock += 100;
  issuer.ask();
  await until(() => count() === 3, 'it answers when asked');
  issuer.ask();
  issuer.ask();
  await nothingMore(3);
  clock += 100;
  await until(() => count() === 4, 'both questions have one answer');
  revokeMany();
  await until(() => reader.status().signals?.seq === 10, 'the marks are applied');
  clock += 100;
  await until(() => count() === 5, 'what was asked about may have been on its way');
  assert.equal(last()?.seq, 10);
  await advance(2);
  await nothingMore(5);
  await advance(4);
  await until(() => count() === 6, 'the issuer hears from it now and then');
  reader.close();
  await until(() => last()?.leaving === true, 'it says that it leaves');
  assert.deepEqual(last(), { instance, epoch: issuer.epoch, seq: 10, leaving: true });
});

test('a `keys` signal is acknowledged when the keys are here, and so is everything after it', async () => {
  const reader = await registered();
  await until(() => count() === 1, 'it says where it is');
  let release = (): void => {};
  issuer.answers.jwks = (_request, response) => {
    release = () => {
      issuer.answers.jwks = undefined;
      response.destroy();
    };
  };
  issuer.announceKeys();
  issuer.revoke({ by: 'sid', value: 'gone' });
  await until(() => reader.status().signals?.seq === 2 && issuer.counts.jwks === 2, 'both are applied');
  clock += 1_000;
  await nothingMore(1);
  const { signingKey } = generateKeyPair('ES256');
  issuer.keys.push(signingKey);
  release();
  clock += 1_000;
  await until(() => last()?.seq === 2, 'they are acknowledged');
  assert.ok(reader.status().keys.includes(signingKey.kid));
});

test('credential, instance and agent go to the signals; nothing secret shows anywhere', async () => {
  const reader = await registered({ agent: 'records/7.0' });
  await until(() => count() === 1, 'it says where it is');
  const basic = `Basic ${Buffer.from('cli_records:a+secret%3A+with%2Fodd%2Bcharacters').toString('base64')}`;
  for (const name of ['stream', 'snapshot', 'applied'] as const) {
    const { authorization, 'latchkey-instance': instance, 'user-agent': agent } = issuer.asked[name] ?? {};
    assert.deepEqual(
      [authorization, instance, agent],
      [basic, reader.status().instance, 'records/7.0'],
      name,
    );
  }
  assert.equal(issuer.asked.jwks?.authorization, undefined);
  assert.equal(issuer.asked.jwks?.['user-agent'], 'records/7.0');
  issuer.answers.applied = (_request, response) => void response.writeHead(401).end();
  issuer.revoke({ by: 'sid', value: 'gone' });
  clock += 1_000;
  await until(() => reader.status().lastFault !== undefined, 'the refusal is known');
  const words = JSON.stringify([reader.status(), reader]);
  for (const hidden of [secret, 'odd', basic.slice(6), 'authorization']) assert.ok(!words.includes(hidden));
  const { audience } = issuer;
  const odd = { issuer: issuer.issuer, audience, client: { id: 'x', secret: 'hidden\nhere' } };
  assert.throws(
    () => createVerifier(odd),
    (error: Error) => {
      assert.ok(error.message.includes('client.secret') && !error.message.includes('hidden'));
      return true;
    },
  );
});

test('acknowledgements that fail disturb nobody and are tried again; an issuer that has forgotten us is told anew', async () => {
  const reader = await registered();
  await until(() => count() === 1, 'it says where it is');
  issuer.answers.applied = (_request, response) => void response.writeHead(500).end();
  issuer.revoke({ by: 'sid', value: 'gone' });
  await until(() => reader.isRevoked({ sid: 'gone' }) === 'revoked', 'the mark is applied');
  clock += 1_000;
  await until(() => issuer.counts.applied === 2, 'the acknowledgement fails');
  assert.ok(reader.verifySync(issuer.token(), { sensitive: true }));
  issuer.answers.applied = (_request, response) => void response.writeHead(404).end();
  clock += 2_000;
  await until(() => issuer.counts.stream === 2, 'it connects again');
  issuer.answers.applied = undefined;
  await until(() => {
    clock += 20;
    const { signals, lastFault } = reader.status();
    return signals?.acknowledged === 1 && lastFault === undefined;
  }, 'it is heard');
});

test('an answer that leads elsewhere is not followed, so the credential stays here', async () => {
  let visits = 0;
  const elsewhere = createServer((_request, response) => {
    visits += 1;
    response.end();
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  try {
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/auth/signals`;
    const away = (_request: unknown, response: import('node:http').ServerResponse) =>
      void response.writeHead(307, { location }).end();
    const reader = await registered();
    issuer.answers = { snapshot: away, stream: away, applied: away };
    const { stream } = issuer.counts;
    issuer.write('event: reset\ndata: {}\n\n');
    clock += 1_000;
    await until(() => issuer.counts.snapshot > 2, 'the snapshot is asked for');
    issuer.answers.snapshot = undefined;
    await until(() => issuer.counts.stream > stream, 'the stream is asked for');
    assert.equal(visits, 0);
    assert.ok(reader.status().lastFault !== undefined);
  } finally {
    elsewhere.close();
  }
});

test('a registered reader that polls shows its credential, and has nothing to acknowledge: the fleet are the streams', async () => {
  const reader = await registered({ signals: 'poll', pollInterval: 500 });
  assert.match(issuer.asked.snapshot?.authorization ?? '', /^Basic /);
  issuer.revoke({ by: 'sid', value: 'gone' });
  await until(() => reader.isRevoked({ sid: 'gone' }) === 'revoked', 'the mark is there');
  assert.equal(reader.status().registered, true);
  reader.close();
  await nothingMore(0);
});
