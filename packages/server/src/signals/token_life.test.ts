import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { migrate } from '../storage/schema.ts';
import { signalsAfter } from '../storage/signals.ts';
import { openSqlite } from '../storage/sqlite.ts';
import { createSignalPublisher } from './publisher.ts';
import { createTokenLife } from './token_life.ts';

const directory = mkdtempSync(join(tmpdir(), 'lk-token-life-'));
const clock = { time: 1_800_000_000_000 };
const database = openSqlite({ file: join(directory, 'life.db'), now: () => clock.time });
after(async () => {
  await database.close();
  rmSync(directory, { recursive: true });
});

test('a mark outlives the tokens of every instance, also of one that has just begun to issue longer ones', async () => {
  await migrate(database);
  const first = await createTokenLife(database, 300);
  const publisher = createSignalPublisher(first.longest, () => {});
  const lives = async () => {
    await database.write((tx) => publisher.mark(tx, { kind: 'revoke', by: 'sid', value: 's' }));
    const mark = (await signalsAfter(database, 0, 100)).at(-1);
    return ((mark?.until ?? 0) - clock.time) / 1000;
  };
  assert.equal(await lives(), 360);
  const second = await createTokenLife(database, 3600);
  assert.equal(await first.longest(), 3600);
  assert.equal(await lives(), 3660);
  // Both are restarted with shorter ones: what they made before lives on for an hour.
  await createTokenLife(database, 60);
  assert.equal(await second.longest(), 3600);
  clock.time += 3_599_000;
  await first.announce();
  assert.equal(await lives(), 3660);
  clock.time += 1000;
  assert.equal(await lives(), 360);
});
