// Every recorded answer in docs/protocol/vectors against the sender's own functions and against jose: the bytes are those that are written
// today for the same content, the signatures are good, and the batches follow one upon the other.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compactVerify, importJWK } from 'jose';
import {
  batchOf,
  heartbeatFrame,
  type MarkGroup,
  parsePosition,
  type SnapshotHead,
  snapshotPieces,
} from '../../packages/server/src/signals/frames.ts';
import type { Statement } from '../../packages/server/src/signals/statement.ts';
import type { Signal } from '../../packages/server/src/storage/signals.ts';
import type { RecordedExchange, RecordedVector } from '../support/signal_recorder.ts';

const files = globSync('docs/protocol/vectors/*.json').sort();
const vectorIn = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as RecordedVector;

type Keys = ReadonlyMap<string, Awaited<ReturnType<typeof importJWK>>>;

/** Every key that was published at some time of the history. */
async function keysOf(vector: RecordedVector): Promise<Keys> {
  const sets = vector.exchanges.filter(({ request }) => request.path.endsWith('/jwks.json'));
  const published = [vector.jwks, ...sets.map(({ body }) => JSON.parse(body ?? '') as typeof vector.jwks)];
  const keys = new Map<string, Awaited<ReturnType<typeof importJWK>>>();
  for (const jwk of published.flatMap((set) => set.keys) as { kid: string; alg: string }[])
    keys.set(jwk.kid, await importJWK(jwk as never, jwk.alg));
  return keys;
}

/** What is signed, written again as we write it. */
async function statementIn(signature: string, keys: Keys): Promise<Statement> {
  const { payload, protectedHeader } = await compactVerify(
    signature,
    ({ kid }) => keys.get(kid ?? '') as never,
  );
  const { alg, kid, typ, ...rest } = protectedHeader;
  assert.deepEqual([typ, rest], ['signals+jwt', {}]);
  assert.equal(Buffer.from(JSON.stringify({ alg, kid, typ })).toString('base64url'), signature.split('.')[0]);
  const said = JSON.parse(Buffer.from(payload).toString()) as Statement;
  const { iss, epoch, from, seq, as_of, max_life, sha256 } = said;
  const written = { iss, epoch, ...(from === undefined ? {} : { from }), seq, as_of, max_life, sha256 };
  assert.equal(Buffer.from(payload).toString(), JSON.stringify(written));
  return said;
}

interface Event {
  readonly id: string;
  readonly name: string;
  readonly data: Record<string, unknown>;
}

function eventsIn(text: string): Event[] {
  const line = (block: string, name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
  return text
    .split('\n\n')
    .filter((block) => block.includes('event: '))
    .map((block) => ({
      id: line(block, 'id'),
      name: line(block, 'event'),
      data: JSON.parse(line(block, 'data')),
    }));
}

function signalOf({ id, name, data }: Event): Signal {
  const { seq = 0, tag = '' } = parsePosition(id) ?? {};
  const { by = null, value = null, below = null, until = null } = data;
  return { seq, tag, kind: name, by, value, below, until } as Signal;
}

/** Answers how many batches there were. */
async function checkStream(
  { request, body }: RecordedExchange,
  vector: RecordedVector,
  keys: Keys,
): Promise<number> {
  const start = parsePosition(request.headers['Last-Event-ID'] ?? '');
  const text = body ?? '';
  let [applied, batches, written] = [start?.seq ?? 0, 0, 'retry: 1000\n\n'];
  let held: Event[] = [];
  for (const event of eventsIn(text)) {
    if (event.name === 'reset') written += 'event: reset\ndata: {}\n\n';
    else if (event.name !== 'heartbeat') held.push(event);
    else {
      const signature = String(event.data['signature']);
      const said = await statementIn(signature, keys);
      const batch = batchOf(said.epoch, said.from ?? -1, held.map(signalOf));
      assert.deepEqual(
        [said.iss, said.epoch, said.from, said.seq, said.sha256],
        [vector.issuer, start?.epoch, applied, applied + held.length, batch.sha256],
      );
      assert.equal(batch.seq, said.seq);
      written += batch.frames + heartbeatFrame(said, signature);
      [applied, held, batches] = [said.seq, [], batches + 1];
    }
  }
  assert.equal(text, written);
  return batches;
}

async function checkSnapshot(
  { body, headers }: RecordedExchange,
  before: string,
  keys: Keys,
): Promise<string> {
  const text = body ?? before;
  const { iss, epoch, seq, position, marks } = JSON.parse(text) as SnapshotHead & { marks: MarkGroup[] };
  assert.equal([...snapshotPieces({ iss, epoch, seq, position }, marks)].join(''), text);
  const { as_of, max_life, ...said } = await statementIn(headers['latchkey-signature'] ?? '', keys);
  const sha256 = createHash('sha256').update(text).digest('base64url');
  assert.deepEqual(said, { iss, epoch, seq, sha256 });
  assert.ok(Number.isSafeInteger(as_of) && max_life >= 30);
  assert.equal(headers['etag'], `"${sha256}"`);
  return text;
}

for (const file of files) {
  const vector = vectorIn(file);
  test(`${file}: ${vector.description}`, async () => {
    const keys = await keysOf(vector);
    let body = '';
    for (const exchange of vector.exchanges.filter(({ forged }) => forged !== true)) {
      const { path } = exchange.request;
      if (path.endsWith('/signals/snapshot')) body = await checkSnapshot(exchange, body, keys);
      if (path.endsWith('/signals')) {
        const isReset = exchange.body?.includes('event: reset') === true;
        assert.ok((await checkStream(exchange, vector, keys)) > 0 || isReset);
      }
    }
  });
}

test('the recordings show what the page says: every event, every kind of mark, and a batch of several', () => {
  const bodies = files.flatMap((file) => vectorIn(file).exchanges.map(({ body }) => body ?? ''));
  const text = bodies.join('\n');
  for (const name of ['revoke', 'stale', 'keys', 'heartbeat', 'reset'])
    assert.match(text, new RegExp(`^event: ${name}$`, 'm'));
  for (const by of ['jti', 'sid', 'client', 'kid', 'sub', 'role']) {
    assert.match(text, new RegExp(`^data: {"by":"${by}"`, 'm'));
    assert.ok(text.includes(`"by":"${by}","values":[`), by);
  }
  assert.match(text, /(event: revoke\ndata: .*\n\nid: .*\n){2}/);
  const files200 = files.filter((file) => vectorIn(file).exchanges.some(({ status }) => status === 304));
  assert.ok(files200.length > 0);
});
