// Starts test/support/auth_process.ts and reads its one line. What it writes to standard error (its log) is kept.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AuthServerOptions } from '@latchkey/server';
import { adminPassword, testIssuer } from './auth_server.ts';

export interface SpawnedAuth {
  readonly child: ChildProcess;
  readonly address: string;
  readonly internal: string;
  /** Why it did not start: the error's name and message. */
  readonly refused: string | undefined;
  readonly message: string;
  log(): string;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** Closes its standard input, and waits until it has ended. */
  stop(): Promise<number | null>;
}

export interface SpawnOptions extends Partial<Omit<AuthServerOptions, 'now' | 'customClaims'>> {
  readonly dataDir: string;
}

/** `wrapper`: a command that starts it, such as one that limits what it may use. */
export async function spawnAuth(
  options: SpawnOptions,
  wrapper: readonly string[] = [],
): Promise<SpawnedAuth> {
  const settings = {
    issuer: testIssuer,
    listen: { host: '127.0.0.1', port: 0 },
    internal: { host: '127.0.0.1', port: 0 },
    admin: { password: adminPassword },
    logLevel: 'warn',
    ...options,
  };
  const [command = process.execPath, ...before] = wrapper;
  const script = [join(import.meta.dirname, 'auth_process.ts'), JSON.stringify(settings)];
  const child = spawn(command, wrapper.length === 0 ? script : [...before, process.execPath, ...script], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let log = '';
  let line = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  child.stdout.setEncoding('utf8');
  const exited = once(child, 'exit') as Promise<[number | null]>;
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (text: string) => {
      line += text;
      if (line.endsWith('\n')) resolve();
    });
    void exited.then(() => resolve());
  });
  const said = (line === '' ? { refused: 'silent', message: log } : JSON.parse(line)) as Record<
    string,
    string
  >;
  return {
    child,
    address: said['address'] ?? '',
    internal: said['internal'] ?? '',
    refused: said['refused'],
    message: said['message'] ?? '',
    log: () => log,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      child.stdin.end();
      return (await exited)[0];
    },
  };
}
