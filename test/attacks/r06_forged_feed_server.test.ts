// R06 (ASVS 16.5.2, 12.3.5): a false server speaks the right format with a key of its own, or a copy of the feed from before a restore
// is served again. Neither is believed: a verifier that hears nothing else says that it knows nothing, or nothing new.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Fetch } from '@latchkey/core/verifier';
import { createModelIssuer } from '../properties/model_issuer.ts';
import { createModelWire } from '../properties/model_wire.ts';
import {
  first,
  type ReaderStage,
  revokeToken,
  second,
  startReader,
  third,
} from '../properties/reader_stage.ts';
import { beginning, forgedMarks, impostorOf, issuerAddress, keys, stranger } from '../properties/universe.ts';
import { until } from '../support/issuer.ts';

const stages: ReaderStage[] = [];
afterEach(() => {
  for (const stage of stages.splice(0)) stage.close();
});

function start(...options: Parameters<typeof startReader>): ReaderStage {
  const stage = startReader(...options);
  stages.push(stage);
  return stage;
}

/** Everything but the key set, from somebody with the same name and another key. */
function falseServer(kid: string) {
  let passed = 0;
  const own = [impostorOf({ kid })];
  const issuer = createModelIssuer({ issuer: issuerAddress, now: () => beginning + passed, keys: own });
  const wire = createModelWire({
    issuer,
    stranger,
    impostor: () => stranger,
    stolen: () => undefined,
    forgedMarks,
  });
  for (const mark of forgedMarks) issuer.commit('revoke', mark);
  return {
    wire,
    move(seconds: number) {
      passed += seconds * 1000;
      wire.beat();
    },
  };
}

for (const [name, kid] of [
  ['with its own name on the key', stranger.kid],
  ["with the issuer's name on the key", keys[0]?.kid ?? ''],
] as const) {
  test(`a false feed server, ${name}: nothing begins with it`, async () => {
    const forged = falseServer(kid);
    let honest: Fetch = async () => new Response(null, { status: 503 });
    const fetch: Fetch = (url, init) => (url.endsWith('jwks.json') ? honest : forged.wire.fetch)(url, init);
    const stage = start({ fetch });
    honest = stage.wire.fetch;
    await until(() => forged.wire.counts.snapshot >= 2, 'it has asked twice');
    forged.move(1);
    assert.equal(stage.verifier.status().ready, false);
    assert.equal(stage.verifier.status().marks, 0);
    assert.equal(stage.ask(first), 'unavailable');
  });

  test(`a false feed server, ${name}: it takes over and is not heard`, async () => {
    const forged = falseServer(kid);
    let taken = false;
    let honest: Fetch = async () => new Response(null, { status: 503 });
    const fetch: Fetch = (url, init) =>
      taken && !url.endsWith('jwks.json') ? forged.wire.fetch(url, init) : honest(url, init);
    const stage = start({ fetch });
    honest = stage.wire.fetch;
    await stage.inStep();
    stage.say(revokeToken(first));
    await stage.inStep();
    const { asOf } = stage.verifier.status();

    taken = true;
    for (const stream of [...stage.wire.streams]) stream.fail();
    await until(() => forged.wire.counts.stream + forged.wire.counts.snapshot >= 3, 'it has been asked');
    stage.pass(11);
    forged.move(11);
    await pause(20);
    assert.equal(stage.verifier.status().asOf, asOf);
    assert.deepEqual([stage.ask(first), stage.ask(second)], ['revoked', 'accepted']);
    assert.equal(stage.ask(second, true), 'signals_stale');
    taken = false;
    await stage.inStep();
    assert.deepEqual([stage.ask(first), stage.ask(second, true)], ['revoked', 'accepted']);
  });
}

test('an older epoch after a restore: what was heard since is not rolled back', async () => {
  const stage = start();
  const { issuer, wire, verifier } = stage;
  await stage.inStep();
  stage.say(revokeToken(first));
  await stage.inStep();
  issuer.restore(1);
  wire.beat();
  stage.pass(90);
  for (const stream of [...wire.streams]) stream.fail();
  await stage.inStep();
  stage.say(revokeToken(second));
  await stage.inStep();
  const { asOf, signals } = verifier.status();

  // The first snapshot of all: its signature is good, and its time is over.
  wire.faults.snapshot.push('old', 'old');
  for (const stream of [...wire.streams]) stream.write('event: reset\ndata: {}\n\n');
  await until(() => wire.faults.snapshot.length === 0, 'the old snapshot was served');
  assert.equal(verifier.status().signals?.epoch, signals?.epoch);
  assert.ok((verifier.status().asOf ?? 0) >= (asOf ?? 0));
  assert.deepEqual(
    [first, second, third].map((token) => stage.ask(token)),
    ['revoked', 'revoked', 'accepted'],
  );
  await stage.inStep();
  assert.deepEqual(
    [first, second, third].map((token) => stage.ask(token)),
    ['revoked', 'revoked', 'accepted'],
  );
});

test('a stream that goes on in another epoch where the numbers are the same', async () => {
  const stage = start();
  const { issuer, wire, verifier } = stage;
  await stage.inStep();
  stage.say(revokeToken(first));
  await stage.inStep();
  // The same number stands for another change now, and the server overlooks what it was asked to go on after.
  issuer.restore(1);
  issuer.commit('revoke', revokeToken(second));
  const { epoch } = issuer;
  wire.faults.stream.push('begins now');
  for (const stream of [...wire.streams]) stream.fail();
  await until(() => wire.faults.stream.length === 0, 'the stream is open');
  await until(() => {
    wire.beat();
    return verifier.status().signals?.epoch === epoch;
  }, 'the other epoch is followed');
  assert.deepEqual(
    [first, second, third].map((token) => stage.ask(token)),
    ['revoked', 'revoked', 'accepted'],
  );
});
