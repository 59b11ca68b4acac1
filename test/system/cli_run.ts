// Runs the real command line in a folder of its own, and whole systems that are stopped again whatever happens. Ports are
// free ones; nothing of the outer environment's settings comes in.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnswerBody } from '../support/auth_server.ts';

const bin = fileURLToPath(new URL('../../packages/latchkey/bin/latchkey.mjs', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly folder: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
}

export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'latchkey-cli-'));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function environment(
  extra: Readonly<Record<string, string | undefined>> = {},
): Record<string, string | undefined> {
  const outer = Object.entries(process.env).filter(([name]) => !name.startsWith('LATCHKEY_'));
  return { ...Object.fromEntries(outer), NO_COLOR: '1', ...extra };
}

/** One command, from start to end. */
export function latchkey(args: readonly string[], { folder, env, input }: RunOptions): Promise<Finished> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    env: environment(env),
    stdio: 'pipe',
  });
  child.stdin.end(input ?? '');
  return finished(child);
}

function finished(child: ChildProcess): Promise<Finished> {
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}

export interface RunningCommand {
  readonly child: ChildProcess;
  readonly end: Promise<Finished>;
  /** What it has written so far on both streams. */
  text(): string;
  /** Waits for a text; throws when the command ends before. */
  until(wanted: RegExp): Promise<RegExpExecArray>;
  stop(signal?: NodeJS.Signals): Promise<Finished>;
}

/** A command that goes on running. */
export function launch(args: readonly string[], { folder, env }: RunOptions): RunningCommand {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = finished(child);
  let text = '';
  let wake = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: string) => {
      text += chunk;
      wake();
    });
  }
  let over = false;
  end.then(() => {
    over = true;
    wake();
  });
  return {
    child,
    end,
    text: () => text,
    async until(wanted) {
      for (;;) {
        const match = wanted.exec(text);
        if (match !== null) return match;
        if (over) throw new Error(`the command ended before ${wanted} came:\n${text}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return end;
    },
  };
}

export interface StartedSystem extends RunningCommand {
  readonly facts: StartFacts;
}

/** What `latchkey start --json` says. */
export interface StartFacts {
  readonly public_url: string;
  readonly pid: number;
  readonly auth: { readonly address: string; readonly internal: string; readonly socket: string };
  readonly gateway: { readonly address: string; readonly internal: string };
  readonly pids: Readonly<Record<string, number>>;
  readonly people: readonly {
    readonly username: string;
    readonly password: string;
    readonly roles: readonly string[];
  }[];
  readonly first_admin?: { readonly username: string; readonly password: string };
}

const freePorts = { LATCHKEY_PORT: '0', LATCHKEY_AUTH_PORT: '0' };

/** `latchkey start --json` on free ports, ready. */
export async function startSystem(
  args: readonly string[],
  { folder, env }: RunOptions,
): Promise<StartedSystem> {
  const command = launch(['start', '--json', ...args], { folder, env: { ...freePorts, ...env } });
  const [line] = await command.until(/^\{.*\}$/m);
  return { ...command, facts: JSON.parse(line) as StartFacts };
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The children of a process, their children, and so on. */
export function descendantsOf(pid: number): number[] {
  const lines = String(spawnSync('ps', ['-e', '-o', 'pid=,ppid=']).stdout)
    .trim()
    .split('\n');
  const parents = lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const of = (each: number): number[] =>
    parents.filter(([, parent]) => parent === each).flatMap(([child]) => [child, ...of(child)]);
  return of(pid);
}

/** Resolves when none of the processes is left. */
export async function allGone(pids: readonly number[]): Promise<void> {
  while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
}

export interface Answer {
  readonly status: number;
  readonly body: AnswerBody;
}

/** One JSON call. */
export async function call(
  url: string,
  path: string,
  init: { method?: string; token?: string; body?: unknown } = {},
): Promise<Answer> {
  const { method = init.body === undefined ? 'GET' : 'POST', token, body } = init;
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}

export async function signIn(url: string, username: string, password: string): Promise<string> {
  const { status, body } = await call(url, '/auth/login', { body: { username, password } });
  if (status !== 200) throw new Error(`sign-in of ${username} answered ${status}`);
  return body.access_token;
}
