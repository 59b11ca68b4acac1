// What every database engine must do for the fleet: limits, numbers that never go down, and streams that replace one another hold
// whatever races.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeMeta } from '../../packages/server/src/storage/meta.ts';
import { insertSignal, readHead } from '../../packages/server/src/storage/signals.ts';
import {
  acknowledgeSignals,
  allVerifiers,
  closeVerifier,
  countBehind,
  enterVerifier,
  listVerifiers,
  measureFleet,
  removeVerifier,
  sweepVerifiers,
} from '../../packages/server/src/storage/verifiers.ts';
import type { OpenStorage } from './storage_suite.ts';

const silence = 60_000;
const most = 8;
const verifier = (i: number, clientId = 'cli_1') => ({
  ...{ clientId, instance: `instance-${i}`, name: 'records', version: '1' },
});

export function verifierSuite(storage: () => OpenStorage): void {
  const enter = (i: number, connection = `c${i}`) =>
    storage().database.write((tx) => enterVerifier(tx, verifier(i), connection, most));
  const acknowledge = (i: number, seq: number, epoch = 'e1') =>
    storage().database.write((tx) => acknowledgeSignals(tx, verifier(i), epoch, seq));
  const all = async () => (await allVerifiers(storage().database)).verifiers;

  test('many verifiers that enter at once: as many as one client may have, each of them once', async () => {
    const { database } = storage();
    await database.write((tx) => writeMeta(tx, 'epoch', 'e1'));
    const entered = await Promise.all(Array.from({ length: 40 }, (_, i) => enter(i % 20)));
    const rows = await all();
    assert.equal(rows.length, most);
    assert.equal(new Set(rows.map(({ instance }) => instance)).size, most);
    assert.equal(entered.filter(Boolean).length, 2 * most);
    assert.ok(await database.write((tx) => enterVerifier(tx, verifier(1, 'cli_2'), 'x', most)));
  });

  test('acknowledgements in any order: the highest number stays, and none that no signal has', async () => {
    const { database } = storage();
    for (let i = 0; i < 3; i += 1)
      await database.write((tx) => insertSignal(tx, { kind: 'revoke', by: 'sid', value: `v${i}` }, null));
    const { seq: head } = await readHead(database);
    const numbers = [head - 2, head, head - 1, head + 1, 0, head + 1000];
    assert.deepEqual(
      await Promise.all(numbers.map((seq) => acknowledge(0, seq))),
      numbers.map(() => true),
    );
    assert.ok(await acknowledge(0, head, 'e0'));
    assert.equal(await acknowledge(99, head), false);
    const [row] = (await all()).filter(({ instance }) => instance === 'instance-0');
    assert.deepEqual([row?.epoch, row?.seq], ['e1', head]);
    await acknowledge(1, head - 2);
    assert.deepEqual(await measureFleet(database, silence), { size: most + 1, lag: 2 });
    assert.equal(await countBehind(database, head, silence), most);
  });

  test('only the stream that is open now can close a verifier; who has been gone longest makes room', async () => {
    const { database, moveClock } = storage();
    const close = (i: number, connection: string) =>
      database.write((tx) => closeVerifier(tx, verifier(i), connection));
    const isOpen = async (i: number) =>
      (await all()).find(({ instance, clientId }) => clientId === 'cli_1' && instance === `instance-${i}`)
        ?.open;
    await enter(0, 'newer');
    await close(0, 'c0');
    assert.equal(await isOpen(0), true);
    assert.equal(await enter(100), false);
    await close(2, 'c2');
    await moveClock(5);
    await close(0, 'newer');
    assert.equal(await enter(100), true);
    assert.deepEqual([await isOpen(2), await isOpen(0)], [undefined, false]);
    assert.equal(await database.write((tx) => removeVerifier(tx, verifier(100))), true);
    assert.equal(await database.write((tx) => removeVerifier(tx, verifier(100))), false);
  });

  test('read in pages, none twice and none left out; swept when they trust nothing any more', async () => {
    const { database, moveClock } = storage();
    const seen: string[] = [];
    for (let after = { clientId: '', instance: '' }; ; ) {
      const { verifiers } = await listVerifiers(database, after, 3);
      seen.push(...verifiers.map(({ clientId, instance }) => `${clientId} ${instance}`));
      const last = verifiers.at(-1);
      if (last === undefined) break;
      after = last;
    }
    assert.equal(new Set(seen).size, (await all()).length);
    assert.deepEqual(seen, [...seen].sort());
    const sweep = (limit: number) => database.write((tx) => sweepVerifiers(tx, 300_000, silence, limit));
    await moveClock(300_001);
    assert.equal(await sweep(100), 1);
    await moveClock(silence);
    assert.equal(await sweep(3), 3);
    await sweep(100);
    assert.deepEqual(await all(), []);
    assert.deepEqual(await measureFleet(database, silence), { size: 0, lag: 0 });
  });
}
