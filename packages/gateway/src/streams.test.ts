// When streams are closed: pure judgement over a verifier's state, so the verifier here is a plain record of it.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { it } from 'node:test';
import type { Mark, MarkedClaims, VerifierStatus } from '@latchkey/core/verifier';
import { until } from '../test_support/stage.ts';
import type { Admission } from './admission.ts';
import type { GatewayVerifier } from './options.ts';
import { createOpenStreams } from './streams.ts';

interface Token {
  readonly exp?: number;
  readonly roles?: readonly string[];
  readonly sub?: string;
}

function admissionOf(
  sensitive: boolean,
  sid: string,
  { exp = 1_000, roles = [], sub = 'u' }: Token,
): Admission {
  const claims = { exp, sid, roles, sub, jti: `j-${sid}`, client_id: 'c' };
  return { route: { sensitive }, identity: { claims, kid: 'k', token: '' } } as unknown as Admission;
}

/** What a mark by `sid` says: the others are judged by the same rule of core, which has its own tests. */
const markOf = (by: Mark['by'], value: string): Mark => ({ kind: 'revoke', by, value });

function stage() {
  const state = {
    decides: { normal: true, sensitive: true },
    now: 0,
    revoked: new Set<string>(),
    looks: 0,
    tell: (_mark: Mark) => {},
  };
  const verifier = {
    status: () => ({ decides: state.decides }) as VerifierStatus,
    isRevoked({ sid = '', roles = [] }: MarkedClaims) {
      state.looks += 1;
      return state.revoked.has(sid) || roles.some((role) => state.revoked.has(role)) ? 'stale' : undefined;
    },
    onMark(listener: (mark: Mark) => void) {
      state.tell = listener;
      return () => {
        state.tell = () => {};
      };
    },
  } as unknown as GatewayVerifier;
  const streams = createOpenStreams(verifier, () => state.now);
  const closed: string[] = [];
  const watch = (name: string, sensitive = false, token: Token = {}) => {
    const connection = new EventEmitter();
    const close = () => closed.push(name);
    streams.watch(admissionOf(sensitive, name, token), connection, close, 'response');
    state.looks = 0;
    return connection;
  };
  return { state, streams, closed, watch };
}

it('closes sensitive streams first when there is no news of revocations, and then the others', async (t) => {
  const { state, streams, closed, watch } = stage();
  t.after(() => streams.stop());
  watch('sensitive', true);
  watch('normal');
  state.decides = { normal: true, sensitive: false };
  await until(() => closed.length > 0);
  assert.deepEqual(closed, ['sensitive']);
  assert.equal(streams.count('response'), 1);
  state.decides = { normal: false, sensitive: false };
  await until(() => closed.length > 1);
  assert.deepEqual([closed, streams.count('response'), streams.closed], [['sensitive', 'normal'], 0, 2]);
});

it('closes what the marks of a burst hit, each by the name that it is called by', async (t) => {
  const { state, streams, closed, watch } = stage();
  t.after(() => streams.stop());
  for (const name of ['a', 'b', 'c']) watch(name);
  watch('d', false, { roles: ['doctor'] });
  for (const value of ['a', 'c', 'doctor']) state.revoked.add(value);
  state.tell(markOf('sid', 'a'));
  state.tell(markOf('jti', 'j-c'));
  state.tell(markOf('role', 'doctor'));
  await until(() => closed.length === 3);
  assert.deepEqual(closed, ['a', 'c', 'd']);
});

it('closes at the expiry, to the second', async (t) => {
  const { state, streams, closed, watch } = stage();
  t.after(() => streams.stop());
  watch('first', false, { exp: 100 });
  watch('second', false, { exp: 101 });
  state.now = 100_999;
  await until(() => closed.length > 0);
  assert.deepEqual(closed, ['first']);
});

it('closes a stream whose token was marked while the upstream had not answered yet', (t) => {
  const { state, streams, closed, watch } = stage();
  t.after(() => streams.stop());
  state.revoked.add('late');
  state.tell(markOf('sid', 'late'));
  watch('late');
  assert.deepEqual(closed, ['late']);
  assert.equal(streams.count('response'), 0);
});

it('forgets a connection that ended by itself', (t) => {
  const { state, streams, closed, watch } = stage();
  t.after(() => streams.stop());
  watch('gone').emit('close');
  state.revoked.add('gone');
  state.tell(markOf('sid', 'gone'));
  assert.deepEqual([streams.count('response'), closed, state.looks], [0, [], 0]);
});

it('asks none of ten thousand streams about marks that name none of them', async (t) => {
  const { state, streams, watch } = stage();
  t.after(() => streams.stop());
  for (let index = 0; index < 10_000; index += 1) watch(`s${index}`, false, { roles: ['doctor'] });
  for (let index = 0; index < 100_000; index += 1) state.tell(markOf('sid', `other${index}`));
  state.tell(markOf('sid', 's77'));
  await until(() => state.looks > 0);
  assert.equal(state.looks, 1);
});

it('closes ten thousand streams in small portions, and what comes between them is served', async (t) => {
  const { state, streams, closed, watch } = stage();
  t.after(() => streams.stop());
  for (let index = 0; index < 10_000; index += 1) watch(`s${index}`, false, { roles: ['doctor'] });
  state.revoked.add('doctor');
  // A burst that says the same thing again costs one look at each.
  for (let index = 0; index < 1_000; index += 1) state.tell(markOf('role', 'doctor'));
  let most = 0;
  let before = 0;
  while (streams.count('response') > 0) {
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, closed.length - before);
    before = closed.length;
  }
  assert.deepEqual([closed.length, new Set(closed).size, state.looks], [10_000, 10_000, 10_000]);
  assert.ok(most <= 50, `${most} in one turn`);
});
