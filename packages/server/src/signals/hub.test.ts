// The hub on a real database: order, signatures, resuming, gaps, and that it falls silent when the database cannot be read.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { generateKeyPair, verifyJws } from '@latchkey/core';
import type { Database } from '../storage/database.ts';
import { migrate } from '../storage/schema.ts';
import { sweepSignals } from '../storage/signals.ts';
import { openSqlite } from '../storage/sqlite.ts';
import { type Position, parsePosition } from './frames.ts';
import { createSignalHub, type SignalHub } from './hub.ts';
import { createSignalPublisher, type SignalPublisher } from './publisher.ts';

const directory = mkdtempSync(join(tmpdir(), 'lk-hub-'));
const opened: { close(): unknown }[] = [];
after(async () => {
  for (const one of opened.reverse()) await Promise.resolve(one.close()).catch(() => {});
  rmSync(directory, { recursive: true });
});
let files = 0;
const keys = [generateKeyPair('ES256'), generateKeyPair('ES256')];
const jwks = { keys: keys.map(({ publicJwk }) => publicJwk) };

interface World {
  readonly clock: { time: number };
  readonly database: Database;
  readonly publisher: SignalPublisher;
  readonly hub: SignalHub;
  /** Which of the keys signs, and how often the hub asked for them anew. */
  readonly keyring: { current: number; reloads: number; reload(): Promise<void> };
  readonly errors: unknown[];
  revoke(...sids: string[]): Promise<unknown>;
}

async function fresh({ heartbeat = 3_600_000, wakes = true } = {}): Promise<World> {
  const clock = { time: 1_800_000_000_000 };
  const database = openSqlite({ file: join(directory, `${files++}.db`), now: () => clock.time });
  await migrate(database);
  const maxLife = async () => 300;
  const keyring = {
    current: 0,
    reloads: 0,
    async reload() {
      keyring.reloads += 1;
    },
  };
  const errors: unknown[] = [];
  const hub = await createSignalHub({
    ...{ database, issuer: 'i', epoch: 'e1', maxLife, heartbeat },
    signingKey: () => keys[keyring.current]!.signingKey,
    keysChanged: () => keyring.reload(),
    onError: (error) => errors.push(error),
  });
  opened.push({ close: () => database.close() }, hub);
  const publisher = createSignalPublisher(maxLife, () => wakes && hub.wake());
  const revoke = (...sids: string[]) =>
    Promise.all(
      sids.map((value) => database.write((tx) => publisher.mark(tx, { kind: 'revoke', by: 'sid', value }))),
    );
  return { clock, database, publisher, hub, keyring, errors, revoke };
}

interface Frame {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
  readonly text: string;
}

const lineOf = (frame: string, name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(frame)?.[1] ?? '';

/** A reader that keeps what it is sent, and checks every heartbeat against the events since the one before it. */
function collector({ registered = false, from = undefined as Position | undefined } = {}) {
  const frames: Frame[] = [];
  const kids: unknown[] = [];
  const buffers: Buffer[] = [];
  let held: Frame[] = [];
  let applied = from?.seq;

  function close(heartbeat: Frame): void {
    const { header, payload } = verifyJws(heartbeat.data['signature'], jwks, { algorithms: ['ES256'] });
    const said = JSON.parse(Buffer.from(payload).toString());
    const digested = held.map(({ id, event, text }) => `${id}\n${event}\n${lineOf(text, 'data')}\n`).join('');
    assert.equal(header['typ'], 'signals+jwt');
    assert.deepEqual(said, {
      ...{ iss: 'i', epoch: 'e1', from: applied ?? said.from, seq: said.from + held.length },
      ...{ as_of: heartbeat.data['as_of'], max_life: 300 },
      sha256: createHash('sha256').update(digested).digest('base64url'),
    });
    assert.equal(heartbeat.data['seq'], said.seq);
    applied = said.seq;
    held = [];
    kids.push(header.kid);
  }

  return {
    registered,
    frames,
    kids,
    buffers,
    ended: false,
    send(buffer: Buffer) {
      buffers.push(buffer);
      for (const text of buffer.toString().split('\n\n').slice(0, -1)) {
        const data = JSON.parse(lineOf(text, 'data'));
        const frame = { id: lineOf(text, 'id'), event: lineOf(text, 'event'), data, text };
        frames.push(frame);
        if (frame.event === 'heartbeat') close(frame);
        else if (frame.event === 'reset') applied = undefined;
        else if (frame.id !== '') held.push(frame);
      }
      return true;
    },
    end() {
      this.ended = true;
    },
    get values() {
      return frames.filter(({ event }) => event === 'revoke').map(({ data }) => data['value']);
    },
    get events() {
      return frames.map(({ event }) => event);
    },
    get applied() {
      return applied;
    },
    positionOf: (value: string) =>
      parsePosition(frames.find(({ data }) => data['value'] === value)?.id ?? ''),
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; performance.now() < end && !condition(); ) await pause(2);
  assert.ok(condition());
}

test('parallel revocations: every one once, in one order without a gap, for every reader', async () => {
  const { hub, revoke } = await fresh();
  const readers = [collector(), collector()];
  for (const reader of readers) hub.add(reader, undefined);
  await Promise.all([
    revoke('a', 'b', 'c'),
    revoke('d'),
    revoke(...Array.from({ length: 40 }, (_, i) => `s${i}`)),
  ]);
  await until(() => readers.every(({ applied }) => applied === 44));
  for (const { frames, values } of readers) {
    const sequence = frames.map(({ id }) => parsePosition(id)?.seq).filter(Boolean);
    assert.deepEqual(
      sequence,
      Array.from({ length: 44 }, (_, i) => i + 1),
    );
    assert.equal(new Set(values).size, 44);
  }
});

test('a batch is signed once and is one buffer for all; many wakes are few rounds', async () => {
  const { hub, revoke } = await fresh();
  const readers = [collector(), collector()];
  for (const reader of readers) hub.add(reader, undefined);
  await revoke(...Array.from({ length: 100 }, (_, i) => `s${i}`));
  await until(() => readers.every(({ applied }) => applied === 100));
  const [first, second] = readers;
  assert.equal(first?.buffers.length, second?.buffers.length);
  for (const [at, buffer] of (first?.buffers ?? []).entries()) assert.equal(second?.buffers[at], buffer);
  assert.ok((first?.buffers.length ?? 0) < 20);
});

test('of more than a thousand signals each thousand is a batch, and only the last says the new time', async () => {
  const { clock, hub, revoke } = await fresh({ wakes: false });
  const reader = collector();
  hub.add(reader, undefined);
  const before = clock.time;
  await revoke(...Array.from({ length: 2500 }, (_, i) => `s${i}`));
  clock.time += 777;
  hub.wake();
  await until(() => reader.applied === 2500);
  const beats = reader.frames.filter(({ event }) => event === 'heartbeat').slice(1);
  assert.deepEqual(
    beats.map(({ data }) => [data['seq'], data['as_of']]),
    [
      [1000, before],
      [2000, before],
      [2500, before + 777],
    ],
  );
});

test('a key that has gone signs nothing that comes after it: the keys are looked at before the batch is signed', async () => {
  const { database, publisher, hub, keyring } = await fresh();
  const reader = collector();
  hub.add(reader, undefined);
  keyring.reload = async () => {
    await pause(5);
    keyring.current = 1;
  };
  await database.write(async (tx) => {
    await publisher.mark(tx, { kind: 'revoke', by: 'kid', value: keys[0]!.signingKey.kid });
    await publisher.keys(tx);
  });
  await until(() => reader.applied === 2);
  assert.deepEqual(reader.events, ['heartbeat', 'revoke', 'keys', 'heartbeat']);
  assert.deepEqual(
    reader.kids,
    keys.map(({ signingKey }) => signingKey.kid),
  );
});

test('keys that cannot be looked at: silence, and all of it once they can', async () => {
  const { database, publisher, hub, keyring, errors } = await fresh();
  const reader = collector();
  hub.add(reader, undefined);
  keyring.reload = () => Promise.reject(new Error('no keys'));
  await database.write((tx) => publisher.keys(tx));
  await until(() => errors.length === 1);
  assert.deepEqual(reader.events, ['heartbeat']);
  keyring.reload = async () => {};
  hub.wake();
  await until(() => reader.applied === 1);
});

test('resuming gives exactly what was missed, then what comes', async () => {
  const { hub, revoke } = await fresh();
  const first = collector();
  const leave = hub.add(first, undefined);
  await revoke('one');
  await until(() => first.applied === 1);
  leave();
  const from = first.positionOf('one');
  await revoke('two');
  await revoke('three');
  const second = collector({ from });
  hub.add(second, from);
  await until(() => second.applied === 3);
  await revoke('four');
  await until(() => second.applied === 4);
  assert.deepEqual(first.values, ['one']);
  assert.deepEqual(second.values, ['two', 'three', 'four']);
  assert.ok(!second.events.includes('reset'));
});

test('a herd at one position: one read, one signature, one buffer', async () => {
  const { hub, revoke } = await fresh();
  const first = collector();
  hub.add(first, undefined);
  await revoke('one');
  await revoke('two');
  await until(() => first.applied === 2);
  const from = first.positionOf('one');
  const herd = Array.from({ length: 20 }, () => collector({ from }));
  for (const reader of herd) hub.add(reader, from);
  await until(() => herd.every(({ applied }) => applied === 2));
  assert.equal(new Set(herd.map(({ buffers }) => buffers[0])).size, 1);
  for (const { values } of herd) assert.deepEqual(values, ['two']);
});

test('resuming while revocations pour in misses none and repeats none', async () => {
  const { hub, revoke } = await fresh();
  await revoke('zero');
  const first = collector();
  hub.add(first, undefined);
  await revoke('start');
  await until(() => first.applied === 2);
  const from = first.positionOf('start');
  const late = Array.from({ length: 10 }, () => collector({ from }));
  const pouring = (async () => {
    for (let i = 0; i < 50; i += 1) await revoke(`s${i}`);
  })();
  for (const reader of late) {
    hub.add(reader, from);
    await pause(3);
  }
  await pouring;
  await until(() => late.every(({ applied }) => applied === 52));
  for (const { values } of late)
    assert.deepEqual(
      values,
      Array.from({ length: 50 }, (_, i) => `s${i}`),
    );
});

test('a reader that has heard more at another server: what that said is read first', async () => {
  const { database, hub, revoke } = await fresh({ wakes: false });
  await revoke('one', 'two');
  const row = await database.one<{ tag: string }>('SELECT tag FROM signals WHERE seq = 1');
  const from = { epoch: 'e1', seq: 1, tag: row?.tag ?? '' };
  const reader = collector({ from });
  hub.add(reader, from);
  await until(() => reader.applied === 2);
  assert.deepEqual(reader.values, ['two']);
});

test('an unknown epoch, another history, a number not reached, and a swept past: reset, and the live stream goes on', async () => {
  const { clock, database, hub, revoke } = await fresh();
  const first = collector();
  hub.add(first, undefined);
  await revoke('one');
  await revoke('two');
  await until(() => first.applied === 2);
  const known = first.positionOf('one');
  assert.ok(known !== undefined);
  clock.time += 3_600_000;
  await revoke('three');
  await until(() => first.applied === 3);
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
    await until(() => reader.events[0] === 'reset');
    await revoke(`after ${JSON.stringify(position)}`);
    await until(() => reader.values.length === 1);
  }
});

test('more missed than a batch holds: the snapshot is for that', async () => {
  const { hub, revoke } = await fresh();
  const first = collector();
  hub.add(first, undefined);
  await revoke(...Array.from({ length: 1002 }, (_, i) => `s${i}`));
  await until(() => first.applied === 1002);
  const late = [collector(), collector()];
  hub.add(late[0]!, first.positionOf('s0'));
  hub.add(late[1]!, first.positionOf('s1'));
  await until(() => late.every(({ frames }) => frames.length > 0));
  assert.deepEqual(late[0]?.events, ['reset']);
  assert.equal(late[1]?.values.length, 1000);
});

test('a hole in the table is said: every reader is sent to the snapshot, and numbers go on behind it', async () => {
  const { database, hub, revoke } = await fresh({ wakes: false });
  const reader = collector();
  hub.add(reader, undefined);
  await revoke('one', 'two', 'three');
  await database.write((tx) => tx.run('DELETE FROM signals WHERE seq = 2'));
  hub.wake();
  await until(() => reader.applied === 3);
  assert.deepEqual(reader.events, ['heartbeat', 'reset', 'heartbeat']);
  await revoke('four');
  hub.wake();
  await until(() => reader.applied === 4);
  assert.deepEqual(reader.values, ['four']);
});

test('cut off from its database, the hub says nothing more: no heartbeat claims what was not read', async () => {
  const { database, hub, errors, revoke } = await fresh({ heartbeat: 5 });
  const reader = collector();
  hub.add(reader, undefined);
  await revoke('one');
  await until(() => reader.applied === 1 && reader.frames.length >= 5);
  await database.close();
  await until(() => errors.length > 0);
  const before = reader.frames.length;
  const seen = errors.length;
  await until(() => errors.length > seen + 3);
  assert.equal(reader.frames.length, before);
  // What this one has missed cannot be read: it is sent elsewhere.
  const late = collector();
  hub.add(late, reader.positionOf('one'));
  await until(() => late.ended);
  assert.equal(late.frames.length, 0);
});

test('a database that has gone back to an earlier state is not believed', async () => {
  const { database, hub, revoke, errors } = await fresh({ heartbeat: 5 });
  const reader = collector();
  hub.add(reader, undefined);
  await revoke('one', 'two');
  await until(() => reader.applied === 2);
  await database.write((tx) => tx.run("UPDATE counters SET value = 1 WHERE name = 'signal'"));
  await until(() => errors.length > 0);
  const before = reader.frames.length;
  const seen = errors.length;
  await until(() => errors.length > seen + 3);
  assert.equal(reader.frames.length, before);
});

test('only registered readers are asked to acknowledge', async () => {
  const { hub } = await fresh();
  const [stranger, registered] = [collector(), collector({ registered: true })];
  hub.add(stranger, undefined);
  hub.add(registered, undefined);
  hub.ask();
  assert.deepEqual([stranger.events, registered.events], [['heartbeat'], ['heartbeat', 'ask']]);
});

test('a reader that is gone or too slow is dropped, the others are not', async () => {
  const { hub, revoke } = await fresh();
  const good = collector();
  hub.add(good, undefined);
  let takes = 1;
  hub.add({ send: () => takes-- > 0, end() {} }, undefined);
  assert.equal(hub.readers, 2);
  await revoke('one');
  await until(() => good.applied === 1);
  assert.equal(hub.readers, 1);
  hub.close();
  assert.equal(good.ended, true);
});

test('a hub that has closed keeps nobody: whoever still comes is sent elsewhere', async () => {
  const { hub } = await fresh();
  hub.close();
  const late = [collector(), collector()];
  hub.add(late[0]!, undefined);
  hub.add(late[1]!, { epoch: 'e1', seq: 0, tag: 'start' });
  await until(() => late.every(({ ended }) => ended));
  assert.equal(hub.readers, 0);
});
