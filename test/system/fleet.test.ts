// The fleet over the wire: real verifiers with a client credential come, acknowledge and go; readers made by hand are silent, cut
// off or late. Rotation waits for those who are connected. Every answer is judged by the OpenAPI document.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createVerifier } from '@latchkey/core/verifier';
import { fleetSilence, jwksMaxAge } from '../../packages/server/src/rules/lifetimes.ts';
import { type CallOptions, startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { movedClock } from '../support/clock.ts';
import { type AnswerJudge, createAnswerJudge, type OpenApiDocument } from '../support/openapi.ts';

interface Row {
  readonly name: string;
  readonly client_id: string;
  readonly instance: string;
  readonly version: string;
  readonly connected: boolean;
  readonly connected_at: string;
  readonly seen_at: string;
  readonly epoch?: string;
  readonly seq?: number;
  readonly lag?: number;
  readonly safe_at: string;
}

const clock = movedClock();
let server: TestAuthServer;
let judge: AnswerJudge;
let credential: { readonly id: string; readonly secret: string };
const opened: { close(): unknown }[] = [];

before(async () => {
  server = await startAuthServer({ now: clock.now });
  const { body } = await server.call('GET', '/auth/openapi.json');
  judge = createAnswerJudge(body as unknown as OpenApiDocument);
  const client = await server.operator('POST', '/auth/admin/clients', { name: 'records' });
  credential = { id: client.body.id, secret: client.body.secret };
});
after(async () => {
  for (const one of opened) await one.close();
  await server.close();
});

async function call(status: number, method: string, path: string, options: CallOptions = {}) {
  const answer = await server.call(method, path, options);
  judge.check(method, path, answer);
  assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
  return answer;
}

/** As the operator: the clock moves, and an administrator's token would expire. */
async function list(query = ''): Promise<{ items: readonly Row[]; next?: string }> {
  const path = `/auth/admin/verifiers${query}`;
  const answer = await server.operator('GET', path);
  assert.equal(answer.status, 200, answer.text);
  judge.check('GET', path, answer);
  return answer.body as unknown as { items: readonly Row[]; next?: string };
}

async function rowOf(instance: string): Promise<Row | undefined> {
  return (await list('?limit=100')).items.find((row) => row.instance === instance);
}

async function becomes(instance: string, wanted: (row: Row | undefined) => boolean): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; await pause(10))
    if (wanted(await rowOf(instance))) return;
  assert.fail(`${instance} did not become what was wanted: ${JSON.stringify(await rowOf(instance))}`);
}

const basic = () => ({
  authorization: `Basic ${Buffer.from(`${credential.id}:${credential.secret}`).toString('base64')}`,
});

/** A reader made by hand: it opens its stream and says only what it is told to. */
async function connect(instance: string, agent = 'by hand/1') {
  const cut = new AbortController();
  const headers = { ...basic(), 'latchkey-instance': instance, 'user-agent': agent };
  const { status, body } = await fetch(`${server.url}/auth/signals`, { headers, signal: cut.signal });
  assert.equal(status, 200);
  // What comes is thrown away, so that the server is not held up.
  const draining = body?.pipeTo(new WritableStream()).catch(() => {});
  const reader = {
    async close() {
      cut.abort();
      await draining;
    },
    say: (status: number, seq: number, extra: object = {}) =>
      call(status, 'POST', '/auth/signals/applied', {
        headers: basic(),
        body: { instance, epoch, seq, ...extra },
      }),
  };
  opened.push(reader);
  return reader;
}

let epoch = '';
const headSeq = async (): Promise<number> => {
  const { body } = await server.call('GET', '/auth/signals/snapshot');
  const snapshot = body as unknown as { epoch: string; seq: number };
  epoch = snapshot.epoch;
  return snapshot.seq;
};

test('a real verifier is listed with what it has applied, keeps up, and is gone when it is closed', async () => {
  const verifier = createVerifier({
    issuer: server.issuer,
    audience: server.audience,
    issuerAddress: `${server.url}/auth`,
    client: credential,
    now: clock.now,
  });
  opened.push(verifier);
  await verifier.ready();
  const { instance } = verifier.status();
  const seq = await headSeq();
  await becomes(instance, (row) => row?.seq === seq);
  const row = await rowOf(instance);
  assert.ok(row !== undefined);
  assert.deepEqual([row.name, row.client_id, row.connected], ['records', credential.id, true]);
  assert.match(row.version, /^latchkey-core\//);
  assert.deepEqual([row.epoch, row.lag], [epoch, 0]);
  assert.equal(Date.parse(row.safe_at), clock.now() + 300_000);

  const user = await server.createUser('ada');
  await server.operator('DELETE', `/auth/admin/users/${user.id}`);
  await becomes(instance, (after) => after?.seq === seq + 1 && after.lag === 0);

  // The server forgets it, as it does with one that was silent for long: it connects again by itself.
  const leaving = { instance, epoch, seq, leaving: true };
  await call(204, 'POST', '/auth/signals/applied', { headers: basic(), body: leaving });
  assert.equal(await rowOf(instance), undefined);
  const other = await server.createUser('bea');
  await server.operator('DELETE', `/auth/admin/users/${other.id}`);
  await becomes(instance, (after) => after?.connected === true && after.lag === 0);

  verifier.close();
  await becomes(instance, (after) => after === undefined);
});

test('a reader has no position before it acknowledges one; numbers never go down; a foreign epoch counts for nothing', async () => {
  const seq = await headSeq();
  const reader = await connect('by-hand-1', 'by hand/1 (é)');
  const entered = await rowOf('by-hand-1');
  assert.deepEqual([entered?.epoch, entered?.seq, entered?.lag], [undefined, undefined, undefined]);
  assert.deepEqual([entered?.connected, entered?.version], [true, 'by hand/1 ()']);
  await reader.say(204, seq - 1);
  assert.deepEqual([(await rowOf('by-hand-1'))?.lag, (await rowOf('by-hand-1'))?.seq], [1, seq - 1]);
  for (const [number, extra] of [
    [0, {}],
    [seq, { epoch: 'another' }],
    [seq + 1, {}],
  ] as const) {
    await reader.say(204, number, extra);
    assert.equal((await rowOf('by-hand-1'))?.seq, seq - 1);
  }
  await reader.say(204, seq);
  assert.equal((await rowOf('by-hand-1'))?.lag, 0);
  await reader.say(204, seq, { leaving: true });
  await reader.say(404, seq);
  await reader.close();
});

test('cut off: not connected, and listed with the moment when it must have stopped trusting what it has', async () => {
  const reader = await connect('by-hand-2');
  await reader.say(204, await headSeq());
  await reader.close();
  await becomes('by-hand-2', (row) => row?.connected === false);
  const left = clock.now();
  clock.move(100);
  assert.equal(Date.parse((await rowOf('by-hand-2'))?.safe_at ?? ''), left + 300_000);
  const again = await connect('by-hand-2');
  assert.equal((await rowOf('by-hand-2'))?.connected, true);
  await again.say(204, 0, { leaving: true });
  await again.close();
});

test('silent for 60 s: it has left the fleet, and one word brings it back', async () => {
  const reader = await connect('by-hand-3');
  clock.move(fleetSilence / 1000 - 1);
  assert.equal((await rowOf('by-hand-3'))?.connected, true);
  clock.move(1);
  assert.equal((await rowOf('by-hand-3'))?.connected, false);
  await reader.say(204, 0);
  assert.equal((await rowOf('by-hand-3'))?.connected, true);
  await reader.say(204, 0, { leaving: true });
  await reader.close();
});

test('the list comes in pages that miss nothing and repeat nothing; so do the keys', async () => {
  const readers = await Promise.all(
    ['page-000', 'page-001', 'page-002', 'page-003'].map((name) => connect(name)),
  );
  const seen: string[] = [];
  for (let query = '?limit=1'; ; ) {
    const { items, next } = await list(query);
    assert.ok(items.length <= 1);
    seen.push(...items.map(({ instance }) => instance));
    if (next === undefined) break;
    query = `?limit=1&after=${next}`;
  }
  assert.deepEqual(seen, ['page-000', 'page-001', 'page-002', 'page-003']);
  for (const reader of readers) {
    await reader.say(204, 0, { leaving: true });
    await reader.close();
  }
  const keys = async (query: string) => (await server.operator('GET', `/auth/admin/keys${query}`)).body;
  const all = (await keys('')).items;
  const first = await keys('?limit=1');
  assert.deepEqual([first.items, first.next], [all.slice(0, 1), all[0]?.kid]);
  const second = await keys(`?limit=1&after=${first.next}`);
  assert.deepEqual([second.items, second.next], [all.slice(1, 2), undefined]);
});

test('a rotation waits until every reader that is connected has the next key; a forced one says whom it waits for', async () => {
  const reader = await connect('by-hand-4');
  const rotate = () => server.operator('POST', '/auth/admin/keys/rotate', {});
  const published = await headSeq();
  const refused = await rotate();
  assert.deepEqual([refused.status, refused.body.reason], [409, 'awaiting_verifiers']);
  await reader.say(204, published);
  assert.equal((await rotate()).status, 200);
  // The next one is published now: it waits for caches first, then for the reader, then no longer. What is said twice in a
  // second of the machine's clock is not written again, so the reader says something else each time.
  let words = 0;
  const stillHere = () => reader.say(204, published - (words++ % 2));
  clock.move(jwksMaxAge + 60);
  await stillHere();
  await stillHere();
  assert.equal((await rotate()).body.reason, 'awaiting_verifiers');
  for (let waited = 0; waited < jwksMaxAge + 60; waited += 45) {
    await stillHere();
    assert.equal((await rotate()).status, 409, `${waited} s`);
    clock.move(45);
  }
  await stillHere();
  assert.equal((await rotate()).status, 200);
  await reader.say(204, 0, { leaving: true });
  await reader.close();
});

test('the metrics tell how many there are and how far the slowest is behind', async () => {
  const [one, two] = [await connect('by-hand-5'), await connect('by-hand-6')];
  const seq = await headSeq();
  await one.say(204, seq);
  await two.say(204, seq - 2);
  const wanted = /^latchkey_verifiers 2$[\s\S]*^latchkey_verifier_lag 2$/m;
  let text = '';
  for (let i = 0; i < 1000 && !wanted.test(text); i += 1) {
    text = await (await fetch(`${server.internalUrl}/metrics`)).text();
    await pause(20);
  }
  assert.match(text, wanted);
  for (const reader of [one, two]) {
    await reader.say(204, 0, { leaving: true });
    await reader.close();
  }
});

test('an installation that is older than the fleet: its administrator’s role may see it', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lk-fleet-'));
  try {
    await (await startAuthServer({ dataDir })).close();
    const database = new DatabaseSync(join(dataDir, 'latchkey.db'));
    for (const [table, column] of [
      ['roles', 'permissions'],
      ['meta', 'value'],
    ])
      database.exec(
        `UPDATE ${table} SET ${column} = trim(replace(${column}, 'latchkey:verifiers:read', ''))`,
      );
    database.close();
    const again = await startAuthServer({ dataDir });
    const { status } = await again.call('GET', '/auth/admin/verifiers', { token: again.adminToken });
    await again.close();
    assert.equal(status, 200);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
