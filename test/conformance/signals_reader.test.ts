// The reader of @latchkey/core against every recorded history in docs/protocol/vectors: what it holds at the end is what the recording says
// that any reader must hold.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createVerifier, type Mark, type Verifier } from '@latchkey/core/verifier';
import { replay, type SignalVector } from '../support/signal_vector.ts';

const files = globSync('docs/protocol/vectors/*.json').sort();

/** What `expect` may ask about; anything else is a member of the status. */
const questions: Readonly<Record<string, (verifier: Verifier, expected: unknown) => unknown>> = {
  marks: (verifier, expected) =>
    verifier.status().marks === (expected as Mark[]).length
      ? (expected as Mark[]).filter((mark) => isHeld(verifier, mark))
      : verifier.status().marks,
  fresh: (verifier) => verifier.status().decides.sensitive,
  as_of: (verifier) => verifier.status().asOf,
};

/** A mark is held if it hits a token that it should, and not one that is newer than it. */
function isHeld(verifier: Verifier, { kind, by, value, below = 1 }: Mark): boolean {
  const hit = kind === 'revoke' ? 'revoked' : 'stale';
  const claims = (version: number) => ({
    ...(by === 'role' ? { roles: [value], rver: version } : { [by === 'client' ? 'client_id' : by]: value }),
    ...(by === 'sub' ? { ver: version } : {}),
  });
  if (by === 'kid') return verifier.isRevoked({}, value) === hit;
  const isVersioned = by === 'sub' || by === 'role';
  return (
    verifier.isRevoked(claims(below - 1)) === hit &&
    !(isVersioned && verifier.isRevoked(claims(below)) === hit)
  );
}

function heldBy(verifier: Verifier, expected: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const status = verifier.status();
  const members: Record<string, unknown> = { ...status, ...status.signals };
  return Object.fromEntries(
    Object.entries(expected).map(([name, value]) => {
      const question = questions[name];
      if (question === undefined && !(name in members)) throw new Error(`nothing is known of ${name}`);
      return [name, question === undefined ? members[name] : question(verifier, value)];
    }),
  );
}

for (const file of files) {
  const vector = JSON.parse(readFileSync(file, 'utf8')) as SignalVector;
  test(`${file}: ${vector.description}`, async (t) => {
    const recorded = replay(vector);
    const verifier = createVerifier({
      issuer: vector.issuer,
      audience: 'https://service.example',
      fetch: recorded.fetch,
      now: () => vector.now,
      // It stands still, so that a slow machine makes nobody stale and no stream silent.
      monotonic: () => 0,
      ...(recorded.streams ? {} : { signals: 'poll', pollInterval: 500 }),
    });
    t.after(() => verifier.close());
    const agrees = (): boolean => {
      try {
        assert.deepEqual(heldBy(verifier, vector.expect), vector.expect);
        return recorded.left === 0;
      } catch {
        return false;
      }
    };
    for (const end = performance.now() + 20_000; performance.now() < end && !agrees(); ) await pause(5);
    assert.equal(recorded.left, 0, 'the reader has not asked for everything that was recorded');
    // What it may not believe could come as the last thing.
    await pause(50);
    assert.deepEqual(recorded.differences, []);
    assert.deepEqual(heldBy(verifier, vector.expect), vector.expect);
  });
}
