// F06: a reader that takes nothing. What waits for it is bounded: the server drops it, serves the others on, and it comes back to
// the position it had reached.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createVerifier } from '@latchkey/core/verifier';
import { startAuthServer, type TestAuthServer } from '../support/auth_server.ts';

let server: TestAuthServer;
before(async () => {
  server = await startAuthServer();
});
after(() => server.close());

async function until(condition: () => Promise<boolean> | boolean, words: string): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; await pause(20))
    if (await condition()) return;
  assert.fail(`waited in vain: ${words}`);
}

/** Many signals in one transaction, as if another instance had committed them. */
function commitMany(count: number): void {
  const database = new DatabaseSync(join(server.dataDir, 'latchkey.db'), { timeout: 10_000 });
  try {
    database.exec('BEGIN IMMEDIATE');
    const now = Date.now();
    const { value } = database.prepare("SELECT value FROM counters WHERE name = 'signal'").get() as {
      value: number;
    };
    const insert = database.prepare(
      `INSERT INTO signals (seq, tag, at, kind, by_what, value, below, until)
       VALUES (?, ?, ?, 'revoke', 'jti', ?, NULL, ?)`,
    );
    for (let i = 1; i <= count; i += 1)
      insert.run(value + i, `tag${i}`, now, randomBytes(16).toString('base64url'), now + 360_000);
    database.prepare("UPDATE counters SET value = ? WHERE name = 'signal'").run(value + count);
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}

test('a reader that takes nothing is dropped, and the others hear everything', async () => {
  const good = createVerifier({
    issuer: server.issuer,
    audience: server.audience,
    issuerAddress: `${server.url}/auth`,
  });
  const { port } = new URL(server.url);
  const slow = connect(Number(port), '127.0.0.1');
  let dropped = false;
  slow.on('error', () => {
    dropped = true;
  });
  slow.on('close', () => {
    dropped = true;
  });
  try {
    await good.ready();
    await until(() => good.status().connected, 'the good one is there');
    slow.write('GET /auth/signals HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n');
    const head = await new Promise<string>((resolve) =>
      slow.once('data', (chunk: Buffer) => resolve(String(chunk))),
    );
    assert.match(head, /^HTTP\/1\.1 200 /);
    slow.pause();
    const before = process.memoryUsage().rss;
    // Some seven times what may wait for one reader, and more than the sockets hold; in parts that a good reader keeps up with.
    for (let part = 1; part <= 12; part += 1) {
      commitMany(5_000);
      // Signals of other instances are looked for once a second; one of its own wakes it.
      await server.operator('DELETE', `/auth/admin/tokens/${randomBytes(16).toString('base64url')}`);
      await until(() => good.status().marks >= part * 5_000, 'the good one has everything');
    }
    assert.ok(good.status().connected);
    assert.equal(good.status().signals?.connects, 1);
    // It learns of it when it reads on: the end comes after what the sockets still hold.
    slow.resume();
    await until(() => dropped, 'the slow one is dropped');
    assert.ok(process.memoryUsage().rss - before < 400_000_000);
  } finally {
    slow.destroy();
    good.close();
  }
});
