// O01: what a stranger sends breaks the log's lines or colours a terminal (CVE-2024-45808). Hostile text goes into every place of
// a request, byte for byte; the log stays one JSON object a line, and neither it nor the audit trail repeats any of it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { rowsOf } from '../support/database_file.ts';
import { type SpawnedAuth, spawnAuth } from '../support/spawned_auth.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'lk-'));
let auth: SpawnedAuth;
before(async () => {
  auth = await spawnAuth({ dataDir, logLevel: 'debug', registration: true });
});
after(async () => {
  await auth.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const mark = 'CANARY';
const hostile = [
  `${mark}\r\n{"level":30,"msg":"forged"}`,
  `${mark}\n\n`,
  `${mark}\x1b[2J\x1b[31mred`,
  `${mark}\u2028\u2029\u0085`,
  `${mark}","admin":true,"x":"`,
  `${mark}\0\b\x7f`,
  `${mark}\xff\xfe\xc0\xaf`,
  `${mark}%0d%0a%1b[31m`,
  `${mark}${'A'.repeat(6000)}`,
];

/** Sends the bytes as they are and answers the first line of what comes back. */
function sendRaw(bytes: Buffer): Promise<string> {
  const { hostname, port } = new URL(auth.address);
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    const done = () => {
      socket.destroy();
      resolve(text.split('\r\n')[0] ?? '');
    };
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
      if (text.includes('\r\n')) done();
    });
    socket.on('error', done).on('close', done);
  });
}

function request(line: string, headers: Record<string, string>, body = ''): Buffer {
  const length = Buffer.byteLength(body, 'utf8');
  const all = {
    host: 'a',
    connection: 'close',
    ...(body === '' ? {} : { 'content-length': length }),
    ...headers,
  };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${line}\r\n${head.join('')}\r\n`, 'latin1'), Buffer.from(body, 'utf8')]);
}

const json = { 'content-type': 'application/json' };

function requestsWith(text: string): Buffer[] {
  const bearer = { authorization: `Bearer ${text}` };
  const login = JSON.stringify({ username: text, password: text });
  return [
    request(`GET /auth/${text} HTTP/1.1`, {}),
    request(`GET /auth/me?${text} HTTP/1.1`, bearer),
    request(`GET /auth/${encodeURIComponent(text)} HTTP/1.1`, bearer),
    request('GET /auth/me HTTP/1.1', bearer),
    request('GET /auth/me HTTP/1.1', { ...bearer, 'x-request-id': text }),
    request('GET /auth/me HTTP/1.1', {
      authorization: 'Bearer a.b.c',
      'user-agent': text,
      'x-forwarded-for': text,
    }),
    request('GET /auth/signals HTTP/1.1', { 'last-event-id': text }),
    request('POST /auth/login HTTP/1.1', { ...json, 'user-agent': text, 'x-forwarded-for': text }, login),
    request('POST /auth/login HTTP/1.1', { ...json, 'x-forwarded-for': text }, `{"username":"${text}"`),
    request(
      'POST /auth/register HTTP/1.1',
      json,
      JSON.stringify({ username: text, password: 'x', [text]: 1 }),
    ),
    request('POST /auth/login HTTP/1.1', { 'content-type': text }, login),
    request(`${text} /auth/me HTTP/1.1`, {}),
  ];
}

/** The log, once it has this many lines: it is written a moment after the answer. */
async function logOf(lines: number): Promise<string[]> {
  for (let waited = 0; auth.log().split('\n').length <= lines && waited < 5000; waited += 20)
    await new Promise((resolve) => setTimeout(resolve, 20));
  return auth.log().split('\n').slice(0, -1);
}

test('every line is one JSON object, and none repeats what was sent', async () => {
  let refusedTokens = 0;
  for (const text of hostile) {
    for (const bytes of requestsWith(text)) {
      const status = await sendRaw(bytes);
      assert.doesNotMatch(status, / 5\d\d /, JSON.stringify(bytes.toString('latin1').slice(0, 200)));
      if (status.includes(' 401 ')) refusedTokens += 1;
    }
  }
  assert.ok(refusedTokens > hostile.length);
  const lines = await logOf(hostile.length);
  assert.ok(lines.length > hostile.length);
  for (const line of lines) {
    const entry = JSON.parse(line) as Record<string, unknown>;
    const { level, time, request_id: id, code, msg, ...more } = entry;
    assert.deepEqual(more, {}, line);
    assert.ok(typeof level === 'number' && !Number.isNaN(Date.parse(String(time))), line);
    assert.match(String(id), /^[A-Za-z0-9_.-]{8,64}$/);
    assert.match(`${code} ${msg}`, /^[\w ]+$/);
    assert.ok(line.length < 1000, line);
  }
  assert.doesNotMatch(auth.log(), /CANARY|[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]/);
});

test('the audit trail holds addresses for addresses, and no control characters anywhere', () => {
  const rows = rowsOf(dataDir, 'SELECT * FROM audit');
  assert.ok(rows.some((row) => row['action'] === 'session.start' && row['outcome'] === 'failure'));
  for (const row of rows) {
    assert.doesNotMatch(Object.values(row).join('\n'), /CANARY|[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]/i);
    assert.match(String(row['ip']), /^(local|unknown|[0-9a-f.:]+)$/);
  }
});

test('a field of a megabyte is refused, not logged', async () => {
  const before = auth.log().length;
  const body = JSON.stringify({ username: 'x'.repeat(1_000_000), password: 'y' });
  const response = await fetch(`${auth.address}/auth/login`, { method: 'POST', headers: json, body });
  assert.equal(response.status, 413);
  assert.ok(auth.log().length - before < 2000);
});
