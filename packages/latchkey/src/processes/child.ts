// One child process: how it is spawned, when it counts as ready, where its output goes. Children form their own process
// groups, so that Ctrl-C reaches the parent alone and it can stop them in order; the lifeline ends them without it.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../failure.ts';
import { openLogFile } from './log_file.ts';
import { type LogLine, lineSplitter, readLogLine } from './log_lines.ts';
import { type ChildMessage, isChildMessage, type ReadyMessage } from './messages.ts';

const lifeline = new URL('./lifeline.ts', import.meta.url).href;

export interface ChildPlan {
  readonly name: string;
  /** The program: an absolute path. */
  readonly entry: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder?: string;
  /** It tells us over the channel; where a port is given, it is also ready when something accepts connections there. */
  readonly port?: number;
  /** Sent over the channel at once. */
  readonly work?: object;
  readonly logFile: string;
}

export interface RunningChild {
  readonly pid: number | undefined;
  /** Settles when it is ready; rejects with a CommandError when it ends before. */
  readonly ready: Promise<ReadyMessage>;
  readonly exited: Promise<string>;
  /** Asks it to stop, and after `grace` milliseconds no longer asks. */
  stop(grace: number): Promise<void>;
  kill(): void;
}

export function runChild(plan: ChildPlan, onLine: (line: LogLine) => void): RunningChild {
  const child = spawn(process.execPath, ['--import', lifeline, plan.entry, ...(plan.args ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: process.platform !== 'win32',
    env: plan.env,
    ...(plan.folder !== undefined && { cwd: plan.folder }),
  });
  if (plan.work !== undefined) child.send(plan.work);
  const lastLines = collectOutput(child, plan, onLine);
  const exited = endOf(child);
  const ready = waitUntilReady(child, plan, exited, lastLines);
  ready.catch(() => {}); // whoever waits for it hears of it; nobody has to
  const kill = () => signalGroup(child, 'SIGKILL');
  return { pid: child.pid, ready, exited, kill, stop: (grace) => stopChild(child, exited, grace) };
}

/** How it ended, once what it wrote last has arrived. A grandchild may hold the pipes open: that is not waited for. */
async function endOf(child: ChildProcess): Promise<string> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const how = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  await Promise.race([closed, sleep(2_000, undefined, { ref: false })]);
  return how;
}

function collectOutput(child: ChildProcess, plan: ChildPlan, onLine: (line: LogLine) => void): () => string {
  const log = openLogFile(plan.logFile);
  let last: string[] = [];
  for (const [stream, name] of [
    [child.stdout!, 'out'],
    [child.stderr!, 'err'],
  ] as const) {
    stream.setEncoding('utf8');
    const take = lineSplitter((line) => {
      log.write(`${line}\n`);
      const read = readLogLine(line, name);
      if (name === 'err' || read.level >= 40) last = [...last.slice(-4), read.text];
      onLine(read);
    });
    stream.on('data', take);
  }
  return () => last.join('\n');
}

async function waitUntilReady(
  child: ChildProcess,
  plan: ChildPlan,
  exited: Promise<string>,
  lastLines: () => string,
): Promise<ReadyMessage> {
  const failed = exited.then((how) => {
    const said = lastLines();
    throw new CommandError(`${plan.name} did not start (${how})${said === '' ? '' : `\n${said}`}`, {
      hint: existsSync(plan.logFile) ? `everything it wrote is in ${plan.logFile}` : undefined,
    });
  });
  failed.catch(() => {});
  const own = [firstMessage(child), ...(plan.port === undefined ? [] : [portAnswers(plan.port, exited)])];
  const message = await Promise.race([...own, failed]);
  if (message.type === 'latchkey:ready') return message;
  throw new CommandError(message.message, { hint: message.hint, exitCode: message.exitCode });
}

function firstMessage(child: ChildProcess): Promise<ChildMessage> {
  return new Promise((resolve) => {
    child.on('message', (message) => {
      if (isChildMessage(message)) resolve(message);
      else if (message === 'ready') resolve({ type: 'latchkey:ready' }); // what other people's programs say
    });
  });
}

async function portAnswers(port: number, exited: Promise<string>): Promise<ReadyMessage> {
  let over = false;
  exited.then(() => {
    over = true;
  });
  while (!over && !(await accepts(port))) await sleep(15);
  return { type: 'latchkey:ready', address: `http://127.0.0.1:${port}` };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function stopChild(child: ChildProcess, exited: Promise<string>, grace: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), grace);
  await exited;
  clearTimeout(timer);
}

/** The whole group, so that what the child started goes with it. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, signal);
  } catch {
    // It ended on its own meanwhile.
  }
}
