import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import test from 'node:test';
import { readSettings } from '../settings/settings.ts';
import { choosePort, freePorts, isFree } from './ports.ts';

async function occupied(): Promise<{ port: number; [Symbol.asyncDispose](): Promise<void> }> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  return { port, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

const settingsWith = (environment: Record<string, string>) => readSettings({ environment, folder: tmpdir() });

test('a port that nobody named is replaced when it is taken, and that is said', async () => {
  await using taken = await occupied();
  const chosen = await choosePort(await settingsWith({}), 'port', taken.port, '127.0.0.1');
  assert.notEqual(chosen.port, taken.port);
  assert.match(
    chosen.remark ?? '',
    new RegExp(`port ${taken.port} is taken, using ${chosen.port} .*LATCHKEY_PORT`),
  );
});

test('a port that was named and is taken is an error that names the setting', async () => {
  await using taken = await occupied();
  const settings = await settingsWith({ LATCHKEY_AUTH_PORT: String(taken.port) });
  await assert.rejects(choosePort(settings, 'authPort', 4000, '127.0.0.1'), {
    message: `port ${taken.port} is taken by another program`,
    hint: /authPort \(LATCHKEY_AUTH_PORT\)/,
  });
});

test('0 chooses a free one and says nothing', async () => {
  const chosen = await choosePort(await settingsWith({ LATCHKEY_PORT: '0' }), 'port', 8080, '127.0.0.1');
  assert.ok(chosen.port > 0 && chosen.remark === undefined);
  assert.ok(await isFree(chosen.port, '127.0.0.1'));
});

test('free ports are all different', async () => {
  const ports = await freePorts(8);
  assert.equal(new Set(ports).size, 8);
});
