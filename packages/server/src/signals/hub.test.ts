// The hub on a real database: order, resuming, gaps, and that it falls silent when the database cannot be read.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../storage/database.ts';
import { migrate } from '../storage/schema.ts';
import { sweepSignals } from '../storage/signals.ts';
import { openSqlite } from '../storage/sqlite.ts';
import { parsePosition } from './frames.ts';
import { createSignalHub, type SignalHub } from './hub.ts';
import { createSignalPublisher } from './publisher.ts';

const directory = mkdtempSync(join(tmpdir(), 'lk-hub-'));
const opened: { close(): unknown }[] = [];
after(async () => {
  for (const one of opened.reverse()) await Promise.resolve(one.close()).catch(() => {});
  rmSync(directory, { recursive: true });
});
let files = 0;

interface World {
  readonly clock: { time: number };
  readonly database: Database;
  readonly hub: SignalHub;
  revoke(...sids: string[]): Promise<unknown>;
}

async function fresh(heartbeat = 3_600_000): Promise<World> {
  const clock = { time: 1_800_000_000_000 };
  const database = openSqlite({ file: join(directory, `${files++}.db`), now: () => clock.time });
  await migrate(database);
  const maxLife = async () => 300;
  const hub = await createSignalHub({ database, epoch: 'e1', maxLife, heartbeat, onError: () => {} });
  opened.push({ close: () => database.close() }, hub);
  const publisher = createSignalPublisher(maxLife, () => hub.wake());
  const revoke = (...sids: string[]) =>
    Promise.all(
      sids.map((value) => database.write((tx) => publisher.mark(tx, { kind: 'revoke', by: 'sid', value }))),
    );
  return { clock, database, hub, revoke };
}

interface Frame {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** A reader that keeps what it is sent. */
function collector() {
  const frames: Frame[] = [];
  const of = (frame: string, name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(frame)?.[1] ?? '';
  return {
    frames,
    send(frame: string) {
      frames.push({ id: of(frame, 'id'), event: of(frame, 'event'), data: JSON.parse(of(frame, 'data')) });
      return true;
    },
    end() {},
    get values() {
      return frames.filter(({ event }) => event === 'revoke').map(({ data }) => data['value']);
    },
    get events() {
      return frames.map(({ event }) => event);
    },
  };
}

const settle = () => pause(20);

test('parallel revocations: every one once, in one order without a gap, for every reader', async () => {
  const { hub, revoke } = await fresh();
  const readers = [collector(), collector()];
  for (const reader of readers) hub.add(reader, undefined);
  await Promise.all([
    revoke('a', 'b', 'c'),
    revoke('d'),
    revoke(...Array.from({ length: 40 }, (_, i) => `s${i}`)),
  ]);
  await settle();
  const sequences = readers.map(({ frames }) =>
    frames.map(({ id }) => parsePosition(id)?.seq).filter(Boolean),
  );
  assert.deepEqual(
    sequences[0],
    Array.from({ length: 44 }, (_, i) => i + 1),
  );
  assert.deepEqual(sequences[1], sequences[0]);
  assert.equal(new Set(readers[0]?.values).size, 44);
});

test('a heartbeat says no number that was not sent before it', async () => {
  const { hub, revoke } = await fresh();
  const reader = collector();
  hub.add(reader, undefined);
  for (let i = 0; i < 20; i += 1) await revoke(`s${i}`);
  await settle();
  let sent = 0;
  for (const { event, id, data } of reader.frames) {
    if (event === 'heartbeat') assert.equal(data['seq'], sent);
    else sent = parsePosition(id)?.seq ?? Number.NaN;
  }
  assert.equal(sent, 20);
});

test('resuming gives exactly what was missed, then what comes', async () => {
  const { hub, revoke } = await fresh();
  const first = collector();
  const leave = hub.add(first, undefined);
  await revoke('one');
  await settle();
  leave();
  const position = parsePosition(first.frames.find(({ event }) => event === 'revoke')?.id ?? '');
  await revoke('two');
  await revoke('three');
  const second = collector();
  hub.add(second, position);
  await settle();
  await revoke('four');
  await settle();
  assert.deepEqual(first.values, ['one']);
  assert.deepEqual(second.values, ['two', 'three', 'four']);
  assert.ok(!second.events.includes('reset'));
});

test('resuming while revocations pour in misses none and repeats none', async () => {
  const { hub, revoke } = await fresh();
  await revoke('zero');
  const first = collector();
  hub.add(first, undefined);
  await revoke('start');
  await settle();
  const position = parsePosition(first.frames.find(({ data }) => data['value'] === 'start')?.id ?? '');
  const late = Array.from({ length: 10 }, () => collector());
  const pouring = (async () => {
    for (let i = 0; i < 50; i += 1) await revoke(`s${i}`);
  })();
  for (const reader of late) {
    hub.add(reader, position);
    await pause(3);
  }
  await pouring;
  await settle();
  for (const { values } of late)
    assert.deepEqual(
      values,
      Array.from({ length: 50 }, (_, i) => `s${i}`),
    );
});

test('an unknown epoch, another history, a number not reached, and a swept past: reset, and the live stream goes on', async () => {
  const { clock, database, hub, revoke } = await fresh();
  const first = collector();
  hub.add(first, undefined);
  await revoke('one');
  await revoke('two');
  await settle();
  const known = parsePosition(first.frames.find(({ event }) => event === 'revoke')?.id ?? '');
  assert.ok(known !== undefined);
  clock.time += 3_600_000;
  await revoke('three');
  await database.write((tx) => sweepSignals(tx, 1000));
  const odd = [
    { ...known, epoch: 'e0' },
    { ...known, tag: 'other' },
    { ...known, seq: 99 },
    { epoch: 'e1', seq: 0, tag: 'start' },
    known,
  ];
  for (const position of odd) {
    const reader = collector();
    hub.add(reader, position);
    await settle();
    await revoke(`after ${JSON.stringify(position)}`);
    await settle();
    assert.equal(
      reader.events.filter((event) => event !== 'heartbeat')[0],
      'reset',
      JSON.stringify(position),
    );
    assert.equal(reader.values.length, 1);
  }
});

test('cut off from its database, the hub says nothing more: no heartbeat claims what was not read', async () => {
  const { database, hub } = await fresh(5);
  const reader = collector();
  hub.add(reader, undefined);
  await pause(60);
  assert.ok(reader.events.filter((event) => event === 'heartbeat').length >= 2);
  await database.close();
  await pause(20);
  const before = reader.frames.length;
  await pause(60);
  assert.equal(reader.frames.length, before);
});

test('a reader that is gone or too slow is dropped, the others are not', async () => {
  const { hub, revoke } = await fresh();
  const good = collector();
  hub.add(good, undefined);
  hub.add({ send: () => false, end() {} }, undefined);
  await revoke('one');
  await settle();
  assert.equal(hub.readers, 1);
  assert.deepEqual(good.values, ['one']);
});
