// The command line without a running server, and everything around settings: init, doctor, help, faults.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { latchkey, launch, makeFolder, removeFolder, signIn } from './cli_run.ts';

const password = 'correct horse battery staple';

/** Ports nobody uses, so that the checks of ports say the same everywhere. */
const quiet = { LATCHKEY_PORT: '0', LATCHKEY_AUTH_PORT: '0' };

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = makeFolder();
  try {
    await work(folder);
  } finally {
    removeFolder(folder);
  }
}

test('without a server the command opens the data itself, and a later server has what it did', () =>
  inFolder(async (folder) => {
    const added = await latchkey(['user', 'add', 'alice', '--password-stdin'], { folder, input: password });
    assert.deepEqual([added.code, added.out], [0, 'added alice\n']);
    assert.match(added.err, /first administrator is admin, password \S{15,}/);
    const server = launch(['auth', '--auth-port', '0'], { folder });
    const [, url] = await server.until(/listens on (\S+)/);
    await signIn(url!, 'alice', password);
    await server.stop();
  }));

test('init writes a file once, doctor is content with it, and start reads it', () =>
  inFolder(async (folder) => {
    assert.equal((await latchkey(['init'], { folder })).code, 0);
    const text = readFileSync(join(folder, 'latchkey.config.ts'), 'utf8');
    assert.match(text, /^import type \{ Config \} from 'latchkey';$/m);
    assert.match(
      (await latchkey(['init'], { folder })).err,
      /is there already\nhint: latchkey init --force replaces it/,
    );
    const { code, out } = await latchkey(['doctor'], { folder, env: quiet });
    assert.equal(code, 0, out);
    assert.match(out, /✓ settings .*latchkey\.config\.ts/);
    assert.equal(existsSync(join(folder, 'data')), false, 'doctor made something');
  }));

test('doctor finds what is broken and says how to mend it', () =>
  inFolder(async (folder) => {
    await latchkey(['user', 'add', 'alice', '--password-stdin'], { folder, input: password });
    assert.equal((await latchkey(['doctor'], { folder, env: quiet })).code, 0);
    chmodSync(join(folder, 'data', 'master.key'), 0o644);
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const port = String((taken.address() as { port: number }).port);
    const loose = await latchkey(['doctor', '--json'], { folder, env: { ...quiet, LATCHKEY_PORT: port } });
    taken.close();
    assert.equal(loose.code, 1);
    const { findings } = JSON.parse(loose.out) as {
      findings: { check: string; state: string; mend?: string }[];
    };
    const broken = findings.filter(({ state }) => state === 'bad');
    assert.deepEqual(
      broken.map(({ check }) => check).filter((check) => check !== 'keys'),
      ['master key', `port ${port}`],
    );
    for (const { mend } of findings.filter(({ state }) => state !== 'good')) assert.ok(mend);
  }));

test('doctor recognises a damaged database', () =>
  inFolder(async (folder) => {
    await latchkey(['user', 'add', 'alice', '--password-stdin'], { folder, input: password });
    const file = openSync(join(folder, 'data', 'latchkey.db'), 'r+');
    writeSync(file, Buffer.alloc(16_384, 0x5a), 0, 16_384, 4_096);
    const { code, out } = await latchkey(['doctor'], { folder, env: quiet });
    assert.equal(code, 1);
    assert.match(out, /✗ database +\S+ (is damaged|cannot be read)/);
  }));

test('every fault of the settings is told at once, by start as by doctor, and no secret with them', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'latchkey.config.json'), '{"prot":1,"masterKey":"hush-hush"}');
    const env = { LATCHKEY_REFRESH_GRACE: '100', LATCHKEY_ADMIN_PASSWORD: 'hush' };
    const { code, err } = await latchkey(['start', '--port', 'abc'], { folder, env });
    assert.equal(code, 2);
    assert.match(err, /^latchkey: 4 settings are wrong/);
    assert.doesNotMatch(err, /hush/);
    assert.match((await latchkey(['doctor', '--port', 'abc'], { folder, env })).out, /4 broken/);
  }));

test('help, version and unknown commands', () =>
  inFolder(async (folder) => {
    assert.match((await latchkey([], { folder })).out, /^usage: latchkey COMMAND/m);
    assert.match((await latchkey(['help', 'user'], { folder })).out, /user add[\s\S]*user disable/);
    assert.match((await latchkey(['start', '-h'], { folder })).out, /--example NAME/);
    assert.match((await latchkey(['--version'], { folder })).out, /^latchkey \d+\.\d+\.\d+ \(node /);
    const { code, err } = await latchkey(['strat'], { folder });
    assert.deepEqual(
      [code, err],
      [2, 'latchkey: there is no command strat\nhint: did you mean latchkey start?\n'],
    );
  }));
