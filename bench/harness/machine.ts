// What the figures were measured on, and which core does what. Linux only for pinning and memory; elsewhere those
// steps are left out and the report says so.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

export const cores: number = cpus().length;

/** Pinning needs `taskset` and a second core. */
export const canPin: boolean =
  process.platform === 'linux' && cores > 1 && spawnSync('taskset', ['-V'], { stdio: 'ignore' }).status === 0;

export const serverCore = 0;
export const clientCore = 1;

/** One line for the head of every report: a figure without its machine says nothing. */
export function machineLine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown CPU';
  const pinning = canPin ? 'pinned' : 'not pinned';
  return `${model}, ${cores} cores (${availableParallelism()} usable), Node.js ${process.versions.node}, ${process.platform} ${process.arch}, ${pinning}`;
}

/** Keeps a running process and all its threads on one core, or lets it run on all of them again. */
export function pin(core: number | 'all', pid: number = process.pid): void {
  if (!canPin) return;
  const list = core === 'all' ? `0-${cores - 1}` : String(core);
  spawnSync('taskset', ['-a', '-c', '-p', list, String(pid)], { stdio: 'ignore' });
}

/** The command in front of which a child is born on one core. */
export function pinnedCommand(core: number | undefined, command: readonly string[]): readonly string[] {
  return canPin && core !== undefined ? ['taskset', '-c', String(core), ...command] : command;
}

/** Resident memory of a process in bytes; undefined where /proc is missing or the process is gone. */
export function residentBytes(pid: number): number | undefined {
  try {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return line?.[1] === undefined ? undefined : Number(line[1]) * 1024;
  } catch {
    return undefined;
  }
}

/** Processor time that a process and its children have used so far, in ms (in steps of 10); NaN where /proc is missing. */
export function processorTime(pid: number): number {
  return processTree(pid).reduce((sum, each) => sum + ownProcessorTime(each), 0);
}

function ownProcessorTime(pid: number): number {
  try {
    // After the command's name, which may hold spaces: utime and stime are the fields 14 and 15 of proc(5), in ticks of 10 ms.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}

/** The process and all that descend from it, parents first. Empty where /proc is missing. */
export function processTree(pid: number): readonly number[] {
  const found = [pid];
  for (let next = 0; next < found.length; next += 1) found.push(...childrenOf(found[next] ?? 0));
  return found;
}

function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
}

export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
