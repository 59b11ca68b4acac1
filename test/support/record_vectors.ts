// `node test/support/record_vectors.ts` records docs/protocol/vectors anew: histories of a real server, and some of them with a byte
// changed on the way. Positions, tags and ES256 signatures are drawn at random, so each recording is another one; what it
// shows, and what a reader must hold after it, stays.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { AuthServerOptions } from '@latchkey/server';
import { type RecordedExchange, recordJwks, recordSnapshot, recordStream } from './signal_recorder.ts';
import { forge, recordHistory, type World } from './vector_history.ts';

const nothing = async () => {};

/** A mark of every kind, each by the change that makes it; the key is the one that was to sign next. */
async function markEverything({ server, change, signIn }: World): Promise<string> {
  const [token, session, banned, promoted] = [await signIn(), await signIn(), await signIn(), await signIn()];
  await server.createRole('nurse', ['records:read', 'records:write']);
  const client = await server.operator('POST', '/auth/admin/clients', { name: 'reports' });
  const keys = await server.operator('GET', '/auth/admin/keys');
  const next = keys.body.items.find(({ state }) => state === 'next')?.kid ?? '';
  await change('DELETE', `/auth/admin/tokens/${token.jti}`);
  await change('DELETE', `/auth/admin/sessions/${session.sid}`);
  await change('DELETE', `/auth/admin/clients/${client.body.id}`);
  await change('PATCH', `/auth/admin/users/${banned.userId}`, { disabled: true });
  await change('PUT', `/auth/admin/users/${promoted.userId}/roles`, { roles: ['nurse'] });
  await change('PATCH', '/auth/admin/roles/nurse', { permissions: ['records:read'] });
  await change('DELETE', `/auth/admin/keys/${next}`);
  return next;
}

async function recordHonest(): Promise<void> {
  const quiet = (options: Partial<AuthServerOptions>, name: string, words: string) =>
    recordHistory(
      name,
      words,
      async ({ clock, server }) => {
        const snapshot = await recordSnapshot(server);
        const stream = await recordStream(server, snapshot.position, async ({ beat }) => {
          for (let i = 0; i < 3; i += 1) {
            clock.time += 1000;
            await beat();
          }
        });
        return { exchanges: [snapshot, stream], expect: { marks: [], as_of: clock.time } };
      },
      options,
    );
  await quiet(
    {},
    'quiet',
    'Nothing happens: the snapshot holds no mark, and heartbeats close empty batches.',
  );
  await quiet({ algorithm: 'Ed25519' }, 'quiet_ed25519', 'The same with keys of another algorithm.');

  await recordHistory(
    'marks',
    'A mark of every kind by the stream; the key that was to sign next is revoked too.',
    async (world) => {
      const snapshot = await recordSnapshot(world.server);
      const stream = await recordStream(world.server, snapshot.position, async ({ heard }) => {
        await heard(`"value":"${await markEverything(world)}"`);
      });
      return { exchanges: [snapshot, stream], expect: { snapshots: 1 } };
    },
  );

  await recordHistory(
    'snapshot',
    'The same marks, all of them in the snapshot; the stream adds none.',
    async (world) => {
      await markEverything(world);
      const snapshot = await recordSnapshot(world.server);
      return { exchanges: [snapshot, await recordStream(world.server, snapshot.position, nothing)] };
    },
  );

  await recordHistory(
    'poll',
    'No stream: the snapshot again and again, 304 while nothing changes, then a new one.',
    async (world) => {
      const { clock, server, revokeSession } = world;
      await revokeSession();
      const first = await recordSnapshot(server);
      const later = [];
      for (let i = 0; i < 2; i += 1) {
        clock.time += 2000;
        later.push(await recordSnapshot(server, first.etag));
      }
      await revokeSession();
      const changed = await recordSnapshot(server, first.etag);
      clock.time += 2000;
      const exchanges = [first, ...later, changed, await recordSnapshot(server, changed.etag)];
      return { exchanges, expect: { as_of: clock.time, snapshots: exchanges.length } };
    },
  );

  await recordHistory(
    'resume',
    'The stream ends, marks are missed, and the next one goes on after Last-Event-ID.',
    async (world) => {
      const { server, revokeSession } = world;
      const snapshot = await recordSnapshot(server);
      const first = await recordStream(server, snapshot.position, async ({ heard }) =>
        heard(await revokeSession()),
      );
      const position = [...(first.body ?? '').matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? '';
      for (let i = 0; i < 4; i += 1) await revokeSession();
      const second = await recordStream(server, position, async ({ heard }) => heard(await revokeSession()));
      return { exchanges: [snapshot, first, second], expect: { snapshots: 1, connects: 2 } };
    },
  );
}

async function recordChanges(): Promise<void> {
  await recordHistory(
    'key_rotated',
    'Another key signs: it was published before, and the set is fetched again.',
    async (world) => {
      const { server, change } = world;
      const before = await recordJwks(server);
      const snapshot = await recordSnapshot(server);
      const stream = await recordStream(server, snapshot.position, async ({ heard }) => {
        await change('POST', '/auth/admin/keys/rotate', { immediately: true });
        await heard('event: keys');
      });
      return { exchanges: [before, snapshot, stream, await recordJwks(server)], expect: { snapshots: 1 } };
    },
  );

  await recordHistory(
    'key_removed',
    'The key that signs is removed: the batch that says so is signed by its successor.',
    async (world) => {
      const { server, change } = world;
      const before = await recordJwks(server);
      const keys = await server.operator('GET', '/auth/admin/keys');
      const current = keys.body.items.find(({ state }) => state === 'current')?.kid ?? '';
      const snapshot = await recordSnapshot(server);
      const stream = await recordStream(server, snapshot.position, async ({ heard }) => {
        await change('DELETE', `/auth/admin/keys/${current}`);
        await heard('event: keys');
      });
      return { exchanges: [before, snapshot, stream, await recordJwks(server)], expect: { snapshots: 1 } };
    },
  );

  await recordHistory(
    'reset',
    'The database went back to a backup and on from there: the tag tells, though the number exists.',
    async (world, reopen) => {
      const backup = mkdtempSync(join(tmpdir(), 'lk-vectors-'));
      await world.revokeSession();
      const early = await reopen((dataDir) => cpSync(dataDir, backup, { recursive: true }));
      await early.revokeSession();
      const first = await recordSnapshot(early.server);
      const late = await reopen((dataDir) => {
        rmSync(dataDir, { recursive: true });
        cpSync(backup, dataDir, { recursive: true });
        rmSync(backup, { recursive: true });
      });
      await late.revokeSession();
      await late.revokeSession();
      const reset = await recordStream(late.server, first.position, nothing);
      assert.match(reset.body ?? '', /event: reset/);
      const second = await recordSnapshot(late.server);
      const stream = await recordStream(late.server, second.position, async ({ heard }) =>
        heard(await late.revokeSession()),
      );
      return { exchanges: [first, reset, second, stream], expect: { snapshots: 2 } };
    },
  );

  await recordHistory(
    'epoch',
    'A restored database counts from zero in a new epoch: marks of the old one stay.',
    async (world, reopen) => {
      const first = await recordSnapshot(world.server);
      const stream = await recordStream(world.server, first.position, async ({ heard }) =>
        heard(await world.revokeSession()),
      );
      const position = /^id: (.*)$/m.exec(stream.body ?? '')?.[1] ?? '';
      const restored = await reopen((dataDir) => {
        const database = new DatabaseSync(join(dataDir, 'latchkey.db'));
        database.exec(
          "UPDATE meta SET value = 'restored1' WHERE name = 'epoch'; DELETE FROM signals; UPDATE counters SET value = 0 WHERE name = 'signal'",
        );
        database.close();
      });
      await restored.revokeSession();
      const reset = await recordStream(restored.server, position, nothing);
      const second = await recordSnapshot(restored.server);
      const last = await recordStream(restored.server, second.position, async ({ heard }) =>
        heard(await restored.revokeSession()),
      );
      return { exchanges: [first, stream, reset, second, last], expect: { snapshots: 2 } };
    },
  );
}

/** A stream of three batches that is changed on the way; then the truth. */
async function recordForged(
  name: string,
  description: string,
  change: (stream: RecordedExchange) => RecordedExchange,
): Promise<void> {
  await recordHistory(name, description, async ({ server, revokeSession }) => {
    const first = await recordSnapshot(server);
    const stream = await recordStream(server, first.position, async ({ heard }) => {
      for (let i = 0; i < 3; i += 1) await heard(await revokeSession());
    });
    const second = await recordSnapshot(server);
    const last = await recordStream(server, second.position, nothing);
    return { exchanges: [first, change(stream), second, last], expect: { snapshots: 2 } };
  });
}

async function recordAttacks(): Promise<void> {
  await recordForged('forged_value', 'A mark is changed on the way: none of its batch counts.', (stream) =>
    forge(stream, /"value":"./, '"value":"-'),
  );
  await recordForged('forged_signature', 'The first signature is not the one that was made.', (stream) =>
    forge(stream, /(signature":"[^"]*)[^"]{8}"/, '$1AAAAAAAA"'),
  );
  const batch = /(id: [^\n]*\nevent: revoke\ndata: [^\n]*\n\n)(event: heartbeat\ndata: [^\n]*\n\n)/;
  await recordForged('missing_event', 'An event is missing, and the next one shows it.', (stream) =>
    forge(stream, batch, '$2'),
  );
  await recordForged('replayed_batch', 'A batch comes twice.', (stream) => forge(stream, batch, '$1$2$1$2'));
  await recordForged(
    'held_back',
    'Heartbeats are held back: what follows cannot be closed by a later one.',
    (stream) => forge(stream, batch, '$1'),
  );

  await recordHistory(
    'forged_snapshot',
    'A snapshot whose body is not the one that was signed, then the true one.',
    async ({ server, revokeSession }) => {
      const sid = await revokeSession();
      const snapshot = await recordSnapshot(server);
      const forged = forge(snapshot, sid, `-${sid.slice(1)}`);
      return {
        exchanges: [forged, snapshot, await recordStream(server, snapshot.position, nothing)],
        expect: { snapshots: 1 },
      };
    },
  );

  await recordHistory(
    'older_snapshot',
    'A cache answers with an older snapshot, rightly signed: it takes nothing back.',
    async ({ clock, server, revokeSession }) => {
      const older = await recordSnapshot(server);
      await revokeSession();
      const newer = await recordSnapshot(server);
      clock.time += 2000;
      const newest = await recordSnapshot(server);
      return {
        exchanges: [newer, { ...older, forged: true }, newest],
        expect: { snapshots: 2, as_of: clock.time },
      };
    },
  );
}

await recordHonest();
await recordChanges();
await recordAttacks();
