// R07 (ASVS 13.1.3): a flood of revocations, and revocations of tokens that live on. A mark stays as long as a token that it can hit
// and then leaves, so what a verifier keeps is bounded by what is alive; one that cannot keep everything says so.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, test } from 'node:test';
import type { Mark } from '@latchkey/core/verifier';
import { createVerifier } from '@latchkey/core/verifier';
import { first, type ReaderStage, revokeToken, second, startReader } from '../properties/reader_stage.ts';
import { beginning } from '../properties/universe.ts';
import { startAuthServer, userPassword } from '../support/auth_server.ts';
import { movedClock } from '../support/clock.ts';
import { until } from '../support/issuer.ts';

const stages: ReaderStage[] = [];
afterEach(() => {
  for (const stage of stages.splice(0)) stage.close();
});

function start(): ReaderStage {
  const stage = startReader();
  stages.push(stage);
  return stage;
}

const flood = (size: number, end: number): Mark[] =>
  Array.from({ length: size }, () => ({
    kind: 'revoke',
    by: 'jti',
    value: randomBytes(16).toString('base64url'),
    until: end,
  }));

test('wave after wave leaves with its time, and what is for ever stays', async () => {
  const stage = start();
  const { verifier } = stage;
  await stage.inStep();
  stage.say(revokeToken(first));
  await stage.inStep();
  const sizes: number[] = [];
  for (let wave = 1; wave <= 3; wave += 1) {
    const moment = beginning + wave * 70_000;
    for (let part = 0; part < 8; part += 1) stage.say(...flood(500, moment));
    await stage.inStep();
    assert.equal(verifier.status().marks, 4_001);
    sizes.push(process.memoryUsage().arrayBuffers);
    stage.pass(70);
    await stage.inStep();
    await until(() => verifier.status().marks === 1, 'the wave has left');
  }
  assert.equal(stage.ask(first), 'revoked');
  assert.equal(stage.ask(second), 'accepted');
  // Nothing piles up from wave to wave.
  assert.ok((sizes.at(-1) ?? 0) < 2 * (sizes[0] ?? 0) + 4_000_000, JSON.stringify(sizes));
});

test('a revoked token is refused until nobody believes it any more, and its mark is gone soon after', async () => {
  const clock = movedClock();
  const server = await startAuthServer({ now: clock.now });
  let passed = 0;
  const verifier = createVerifier({
    issuer: server.issuer,
    audience: server.audience,
    issuerAddress: `${server.url}/auth`,
    now: clock.now,
    monotonic: () => passed + performance.now(),
  });
  try {
    await server.createUser('mina');
    const { access_token: token, session_id: sid } = await server.login('mina', userPassword);
    await verifier.verify(token);
    const { status } = await server.call('DELETE', `/auth/admin/sessions/${sid}`, {
      token: server.adminToken,
    });
    assert.equal(status, 204);
    await until(() => verifier.status().marks === 1, 'the mark is there');
    const codeAfter = async (seconds: number): Promise<unknown> => {
      clock.move(seconds);
      passed += seconds * 1000;
      await until(() => (verifier.status().asOf ?? 0) >= clock.now(), 'a heartbeat of now');
      return await verifier.verify(token).then(
        () => 'accepted',
        (error: { code?: string }) => error.code,
      );
    };
    assert.equal(await codeAfter(0), 'revoked');
    assert.equal(await codeAfter(299), 'revoked');
    // Its end, and the time by which clocks may differ.
    assert.equal(await codeAfter(30), 'revoked');
    assert.equal(await codeAfter(2), 'expired');
    assert.ok((await server.call('GET', '/auth/signals/snapshot')).text.includes(sid));
    assert.equal(await codeAfter(60), 'expired');
    await until(() => verifier.status().marks === 0, 'the mark has left the verifier');
    assert.ok(!(await server.call('GET', '/auth/signals/snapshot')).text.includes(sid));
  } finally {
    verifier.close();
    await server.close();
  }
});
