// What is published, as other people get it: compiled, complete, and working away from this repository. The tarballs are laid
// out as npm would; only the libraries of others are linked from here, so that no registry is needed. The same with a
// real `npm install`, Express and Hono is bench/proofs/packed.ts.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { packAll } from '../../tools/pack.ts';
import { call, makeFolder, removeFolder, signIn } from './cli_run.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = makeFolder();
const installed = join(folder, 'app');
const modules = join(installed, 'node_modules');
const children: ChildProcess[] = [];
let tarballs: Record<string, string>;

before(() => {
  tarballs = packAll(join(folder, 'tarballs'));
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name.startsWith('.') || name === '@latchkey' || name === 'latchkey') continue;
    mkdirSync(modules, { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  for (const [name, tarball] of Object.entries(tarballs)) {
    mkdirSync(join(modules, name), { recursive: true });
    const result = spawnSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(modules, name)]);
    assert.equal(result.status, 0, String(result.stderr));
  }
});

after(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
  removeFolder(folder);
});

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd: installed,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

function firstMatch(child: ChildProcess, wanted: RegExp): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const match = wanted.exec(text);
      if (match !== null) resolve(match[1]!);
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code} before ${wanted}: ${text}`)));
  });
}

test('a tarball holds compiled files, a licence and a readme; no sources, no tests', () => {
  for (const [name, tarball] of Object.entries(tarballs)) {
    const files = String(spawnSync('tar', ['-tzf', tarball]).stdout)
      .trim()
      .split('\n');
    for (const wanted of ['package/package.json', 'package/README.md', 'package/LICENSE'])
      assert.ok(files.includes(wanted), `${name} lacks ${wanted}`);
    assert.deepEqual(
      files.filter((file) => /(?<!\.d)\.ts$|\.test\.|tsconfig/.test(file)),
      [],
      name,
    );
  }
});

test('everything that a manifest names is there, with types, and nothing of the workspace', () => {
  for (const name of Object.keys(tarballs)) {
    const manifest = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')) as Record<
      string,
      never
    >;
    assert.deepEqual([manifest['private'], manifest['devDependencies']], [undefined, undefined]);
    const targets = Object.values(manifest['exports'] as unknown as Record<string, unknown>).flatMap(
      (target) => (typeof target === 'string' ? target : Object.values(target as object)),
    );
    for (const target of [...targets, ...Object.values(manifest['bin'] ?? {})])
      assert.ok(existsSync(join(modules, name, target as string)), `${name}: ${target}`);
    const older = name === '@latchkey/core' || name === '@latchkey/client';
    assert.deepEqual(manifest['engines'], { node: older ? '>=22' : '>=24.15' });
    if (older) assert.equal(manifest['dependencies'], undefined);
  }
});

test('no compiled file points at a source', () => {
  const pointer = /(?:from\s*|import\s*\(\s*|new URL\(\s*)['"`]\.{1,2}\/[^'"`]*\.ts['"`]/;
  for (const file of globSync('@latchkey/*/dist/**/*.{js,d.ts}', { cwd: modules })) {
    assert.doesNotMatch(readFileSync(join(modules, file), 'utf8'), pointer, file);
  }
});

test('a strict TypeScript project compiles against the published types, declarations checked too', () => {
  copyFileSync(join(root, 'test/system/packed_services/consumer.ts'), join(installed, 'consumer.ts'));
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024', 'dom', 'dom.iterable', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    noEmit: true,
  };
  writeFileSync(join(installed, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(installed, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['consumer.ts'] }),
  );
  const result = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', installed], { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stdout);
});

test('the installed command starts a system, and services in three styles verify its tokens', async () => {
  const bin = join(modules, 'latchkey', 'bin', 'latchkey.mjs');
  const env = {
    LATCHKEY_PORT: '0',
    LATCHKEY_AUTH_PORT: '0',
    LATCHKEY_ADMIN_PASSWORD: 'long enough for a test',
  };
  const started = run([bin, 'start', '--json'], env);
  const url = JSON.parse(await firstMatch(started, /^(\{.*\})$/m)).public_url as string;
  const token = await signIn(url, 'admin', env.LATCHKEY_ADMIN_PASSWORD);
  const services = ['node_http', 'fastify', 'fetch_style'].map(async (name) => {
    copyFileSync(join(root, 'test/system/packed_services', `${name}.mjs`), join(installed, `${name}.mjs`));
    const service = run([`${name}.mjs`], { ISSUER: `${url}/auth`, AUDIENCE: url });
    const address = `http://127.0.0.1:${await firstMatch(service, /port (\d+)/)}`;
    const forged = `${token.slice(0, -6)}AAAAAA`;
    const accepted = await call(address, '/me', { token });
    const refused = await call(address, '/me', { token: forged });
    const without = await call(address, '/me');
    return [name, accepted.body, refused.status, without.status];
  });
  assert.deepEqual(await Promise.all(services), [
    ['node_http', 'admin', 401, 401],
    ['fastify', 'admin', 401, 401],
    ['fetch_style', 'admin', 401, 401],
  ]);
});
