// What is published works away from this repository: tarballs and three web frameworks installed from the registry into an
// empty folder, a ten-line service on each, on Node.js 22 and 26, and `npx latchkey start`.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { packAll } from '../../tools/pack.ts';
import { type Child, scratchFolder, startChild } from '../harness/children.ts';
import { allOf, type ProofOptions, type ProofResult } from '../harness/proof.ts';

export const name = 'packed';
export const goal =
  'tarballs in an empty folder: Express, Fastify and Hono verify tokens on Node.js 22 and 26, and npx latchkey start runs';

const frameworks = ['express@5.3.0', 'fastify@5.12.8', 'hono@4.13.19', '@hono/node-server@2.1.9'];
const services = ['express', 'fastify', 'hono'];
const password = 'long enough for a proof';

export async function run(_: ProofOptions): Promise<ProofResult> {
  const folder = scratchFolder('packed');
  install(folder);
  const path = pathWithThisNode(folder);
  const system = await startChild({
    command: ['npx', '--no-install', 'latchkey', 'start', '--json'],
    cwd: folder,
    env: { PATH: path, LATCHKEY_PORT: '0', LATCHKEY_AUTH_PORT: '0', LATCHKEY_ADMIN_PASSWORD: password },
    ready: /^(\{.*\})$/m,
  });
  const facts = JSON.parse(system.ready) as { readonly public_url: string; readonly pid: number };
  try {
    const token = await signIn(facts.public_url);
    const results = [{ figure: 'npx latchkey start signs in', pass: true }];
    for (const node of findNodes()) {
      for (const service of services)
        results.push(await tryService(folder, node, service, facts.public_url, token));
    }
    const found = new Set(findNodes().map(({ major }) => major));
    const missing = [22, 26].filter((major) => !found.has(major));
    if (missing.length > 0)
      results.push({ figure: `no Node.js ${missing.join(', ')} on this machine`, pass: false });
    return allOf(results);
  } finally {
    process.kill(facts.pid, 'SIGTERM');
    await system.stop();
  }
}

function install(folder: string): void {
  const tarballs = Object.values(packAll(join(folder, 'tarballs')));
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync('npm', ['install', ...options, ...tarballs, ...frameworks], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (result.status !== 0) throw new Error(`npm install failed:\n${result.stderr}`);
  cpSync(join(import.meta.dirname, '../../test/system/packed_services'), folder, { recursive: true });
}

/** npx runs whatever `node` comes first. */
function pathWithThisNode(folder: string): string {
  const bin = join(folder, 'node-bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  return `${bin}${delimiter}${process.env['PATH']}`;
}

interface FoundNode {
  readonly command: string;
  readonly major: number;
}

/** This one, and those that are installed beside it under their own names. */
function findNodes(): FoundNode[] {
  const found: FoundNode[] = [];
  for (const command of [process.execPath, 'node22', 'node24', 'node26']) {
    const { stdout } = spawnSync(command, ['-p', 'process.versions.node'], { encoding: 'utf8' });
    const major = Number.parseInt(stdout ?? '', 10);
    if (major >= 22 && !found.some((node) => node.major === major)) found.push({ command, major });
  }
  return found;
}

async function signIn(url: string): Promise<string> {
  const response = await fetch(`${url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password }),
  });
  return ((await response.json()) as { readonly access_token: string }).access_token;
}

async function tryService(
  folder: string,
  node: FoundNode,
  service: string,
  url: string,
  token: string,
): Promise<ProofResult> {
  const child: Child = await startChild({
    command: [node.command, `${service}.mjs`],
    cwd: folder,
    env: { ISSUER: `${url}/auth`, AUDIENCE: url },
    ready: /port (\d+)/,
  });
  const status = async (bearer: string) =>
    (await fetch(`http://127.0.0.1:${child.ready}/me`, { headers: { authorization: `Bearer ${bearer}` } }))
      .status;
  const statuses = [await status(token), await status(`${token.slice(0, -6)}AAAAAA`)];
  await child.stop();
  return {
    figure: `${service} on ${node.major}: ${statuses.join(' and ')}`,
    pass: statuses.join() === '200,401',
  };
}
