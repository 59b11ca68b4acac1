// When streams are closed: pure judgement over a verifier's state, so the verifier here is a plain record of it.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { it } from 'node:test';
import type { Mark, VerifierStatus } from '@latchkey/core/verifier';
import { until } from '../test_support/stage.ts';
import type { Admission } from './admission.ts';
import type { GatewayVerifier } from './options.ts';
import { createOpenStreams } from './streams.ts';

function admissionOf(sensitive: boolean, exp: number, sid: string): Admission {
  return {
    route: { sensitive },
    identity: { claims: { exp, sid }, kid: 'k', token: '' },
  } as unknown as Admission;
}

function stage() {
  const state = { staleForMs: 0, now: 0, revoked: new Set<string>(), tell: (_mark: Mark) => {} };
  const verifier = {
    status: () => ({ staleForMs: state.staleForMs }) as VerifierStatus,
    isRevoked: ({ sid }: { sid?: string }) => (state.revoked.has(sid ?? '') ? 'stale' : undefined),
    onMark(listener: (mark: Mark) => void) {
      state.tell = listener;
      return () => {};
    },
  } as unknown as GatewayVerifier;
  const streams = createOpenStreams(verifier, () => state.now);
  const closed: string[] = [];
  const watch = (name: string, sensitive: boolean, exp = 1_000) =>
    streams.watch(admissionOf(sensitive, exp, name), new EventEmitter(), () => closed.push(name), 'response');
  return { state, streams, closed, watch };
}

it('closes sensitive streams alone when there is no news of revocations', async (t) => {
  const { state, streams, closed, watch } = stage();
  t.after(() => streams.stop());
  watch('sensitive', true);
  watch('normal', false);
  state.staleForMs = 10_001;
  await until(() => closed.length > 0);
  assert.deepEqual(closed, ['sensitive']);
  assert.equal(streams.count('response'), 1);
});

it('looks at all marks of a burst at once', async (t) => {
  const { state, streams, closed, watch } = stage();
  t.after(() => streams.stop());
  for (const name of ['a', 'b', 'c']) watch(name, false);
  state.revoked.add('a').add('c');
  for (let index = 0; index < 100; index += 1) state.tell({} as Mark);
  await until(() => closed.length === 2);
  assert.deepEqual(closed, ['a', 'c']);
});

it('closes at the expiry, to the second', async (t) => {
  const { state, streams, closed, watch } = stage();
  t.after(() => streams.stop());
  watch('first', false, 100);
  watch('second', false, 101);
  state.now = 100_999;
  await until(() => closed.length > 0);
  assert.deepEqual(closed, ['first']);
});

it('closes a stream whose token was marked while the upstream had not answered yet', (t) => {
  const { state, streams, closed, watch } = stage();
  t.after(() => streams.stop());
  state.revoked.add('late');
  state.tell({} as Mark);
  watch('late', false);
  assert.deepEqual(closed, ['late']);
  assert.equal(streams.count('response'), 0);
});
