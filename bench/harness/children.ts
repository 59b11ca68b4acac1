// Servers under test are real processes: born on their core, told to listen on port 0, ready when they print a line,
// and ended with the bench whatever happens. A child that dies early rejects with what it wrote.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pinnedCommand } from './machine.ts';

export interface ChildOptions {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly core?: number | undefined;
  /** Its first capture group (or the whole match) is what `ready` resolves with. */
  readonly ready: RegExp;
  /** Milliseconds. @default 30000 */
  readonly patience?: number;
}

export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly ready: string;
  readonly output: () => string;
  readonly stop: () => Promise<void>;
}

/** Shared by all children, so that nobody's start is measured with cold caches; the scripts of the peers flush theirs. */
const compileCache = join(import.meta.dirname, '..', '.cache', 'compile');

const running = new Set<ChildProcess>();
const folders: string[] = [];
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export async function startChild(options: ChildOptions): Promise<Child> {
  const [program = '', ...rest] = pinnedCommand(options.core, options.command);
  const child = spawn(program, rest, {
    cwd: options.cwd,
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  void ended.then(() => running.delete(child));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(timer);
  };
  let output = '';
  const ready = await new Promise<string>((resolve, reject) => {
    const give = (): void =>
      reject(new Error(`${options.command.join(' ')} did not become ready:\n${output}`));
    const timer = setTimeout(give, options.patience ?? 30_000);
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-65_536);
      const match = options.ready.exec(output);
      if (match !== null) resolve(match[1] ?? match[0]);
      if (match !== null) clearTimeout(timer);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('close', give);
  }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { process: child, pid: child.pid ?? 0, ready, output: () => output, stop };
}

/** An empty folder that is gone when the bench ends. */
export function scratchFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `latchkey-bench-${name}-`));
  folders.push(folder);
  return folder;
}
