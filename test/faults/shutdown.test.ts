// A server that is told to end answers what is under way, ends its streams so that readers go elsewhere, and lets go of its
// directory; what was answered is there after the next start.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { adminPassword, startAuthServer } from '../support/auth_server.ts';

const parent = mkdtempSync(join(tmpdir(), 'lk-shutdown-'));
after(() => rmSync(parent, { recursive: true }));

test('sign-ins in the queue are answered, a stream is ended, and the sessions survive', async () => {
  const dataDir = join(parent, 'data');
  const server = await startAuthServer({ dataDir, passwords: { iterations: 8 } });
  const stream = await fetch(`${server.url}/auth/signals`);
  const ended = stream.text();
  const body = { username: 'admin', password: adminPassword };
  const flights = Promise.allSettled(
    Array.from({ length: 8 }, () => server.call('POST', '/auth/login', { body })),
  );
  const waiting = async () => {
    const metrics = await (await fetch(`${server.internalUrl}/metrics`)).text();
    return Number(/^latchkey_passwords_waiting (\d+)$/m.exec(metrics)?.[1]);
  };
  for (let i = 0; i < 2000 && (await waiting()) < 4; i += 1) await pause(1);
  await server.server.close();
  const answered = (await flights).filter((flight) => flight.status === 'fulfilled');
  assert.ok(answered.length >= 5, `${answered.length} answered`);
  for (const { value } of answered) assert.equal(value.status, 200, value.text);
  assert.match(await ended, /event: heartbeat/);

  const next = await startAuthServer({ dataDir });
  for (const { value } of answered) assert.equal((await next.refresh(value.body.refresh_token)).status, 200);
  await next.close();
});
