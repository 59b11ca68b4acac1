// Keys that are not here yet: the one case in which a request waits.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { generateKeyPair } from '@latchkey/core';
import { createVerifier } from '@latchkey/core/verifier';
import { audience, issuer, jwks, startGateway, startUpstream, tokenWith } from '../test_support/stage.ts';

it('waits for one fetch when a token names a new key, however many ask', async (t) => {
  let fetches = 0;
  let moved = 0;
  const older = generateKeyPair('ES256').publicJwk;
  let published = { keys: [older] };
  const verifier = createVerifier({
    issuer,
    audience,
    signals: 'off',
    monotonic: () => performance.now() + moved,
    fetch: async () => {
      fetches += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return new Response(JSON.stringify(published), { headers: { 'Content-Type': 'application/json' } });
    },
  });
  t.after(() => verifier.close());
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const gateway = await startGateway({
    verifier,
    routes: [{ prefix: '/', upstreams: [upstream.origin], access: 'authenticated' }],
  });
  t.after(() => gateway.close());
  await verifier.ready();
  published = { keys: [older, ...jwks.keys] };
  // Past the time in which the verifier does not ask again.
  moved = 120_000;
  const before = fetches;
  const call = async (_: unknown, index: number) => {
    const headers = { Authorization: `Bearer ${tokenWith({ jti: `j${index}` })}` };
    return (await fetch(gateway.url, { headers })).status;
  };
  const statuses = await Promise.all(Array.from({ length: 50 }, call));
  assert.deepEqual(new Set(statuses), new Set([200]));
  assert.equal(fetches - before, 1);
  assert.equal(upstream.seen.length, 50);
});
