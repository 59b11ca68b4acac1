// F04: kill -9 in the middle of writes of all kinds. Nothing acknowledged is lost, the database is whole, the next start works
// at once, nobody is signed out, and no hashing process stays behind. Fifty rounds: bench/proofs/kill.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../support/browser_model.ts';
import { runKillRounds } from '../support/kill_rounds.ts';

test('three kills under sixteen writers: nothing acknowledged is lost', async () => {
  const result = await runKillRounds({ rounds: 3, writes: 100, random: seededRandom(9) });
  assert.ok(result.acknowledged >= 300 && Object.keys(result.kinds).length === 10, JSON.stringify(result));
  assert.deepEqual([result.lost, result.damage, result.signedOut, result.orphans], [[], [], [], 0]);
});
