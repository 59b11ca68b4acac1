// From arguments to a command, and from whatever goes wrong to one line and a hint. A failure nobody foresaw prints
// its message and where its stack can be had; it may hold data that is nobody's business on a screen.
import { readInput } from './commands/command.ts';
import { commands, type Entry } from './commands/table.ts';
import { CommandError, usageError } from './failure.ts';
import { failedMessage, tellParent } from './processes/messages.ts';
import { nearest } from './spelling.ts';

/** Runs the command line; sets the exit code and never throws. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    // Started by a program that holds a channel to us: when that closes, we end.
    if (process.channel != null) await import('./processes/lifeline.ts');
    await dispatch(args);
  } catch (error) {
    process.exitCode = report(error);
  }
}

async function dispatch(args: readonly string[]): Promise<void> {
  const first = args[0];
  if (first === undefined || first === '--help' || first === '-h') return runNamed('help', []);
  if (first === '--version' || first === '-v') return runNamed('version', args.slice(1));
  const { entry, rest } = findCommand(args);
  return runNamed(entry.name, rest);
}

async function runNamed(name: string, args: readonly string[]): Promise<void> {
  const entry = commands.find((each) => each.name === name)!;
  const command = await entry.load();
  const input = readInput(command, args);
  if (!input.help) return command.run(input);
  const { printCommandHelp } = await import('./commands/help.ts');
  printCommandHelp(entry, command);
}

/** The command that the first words name, and what is left for it. */
function findCommand(args: readonly string[]): { entry: Entry; rest: readonly string[] } {
  const [first = '', second = ''] = args;
  for (const [name, used] of [
    [`${first} ${second}`, 2],
    [first, 1],
  ] as const) {
    const entry = commands.find((each) => each.name === name);
    if (entry !== undefined) return { entry, rest: args.slice(used) };
  }
  throw unknownCommand(first, second);
}

function unknownCommand(first: string, second: string): CommandError {
  const names = commands.map((entry) => entry.name);
  const nouns = [...new Set(names.map((name) => name.split(' ')[0]!))];
  const verbs = names
    .filter((name) => name.startsWith(`${first} `))
    .map((name) => name.slice(first.length + 1));
  if (verbs.length > 0) {
    const meant = nearest(second, verbs);
    const hint =
      meant === undefined
        ? `latchkey ${first} ${verbs.join(' | ')}`
        : `did you mean latchkey ${first} ${meant}?`;
    if (second === '' || second.startsWith('-')) return usageError(`${first} needs to know what to do`, hint);
    return usageError(`there is no command ${first} ${second}`, hint);
  }
  const whole = nearest(`${first} ${second}`.trim(), names);
  const noun = nearest(first, nouns);
  const meant = whole ?? (noun !== undefined && nouns.includes(noun) ? noun : undefined);
  return usageError(
    `there is no command ${first}`,
    meant === undefined ? 'latchkey help lists the commands' : `did you mean latchkey ${meant}?`,
  );
}

function report(error: unknown): number {
  if (error instanceof CommandError) {
    if (process.connected) tellParent(failedMessage(error));
    process.stderr.write(`latchkey: ${error.message}\n`);
    if (error.hint !== undefined) process.stderr.write(`hint: ${error.hint}\n`);
    return error.exitCode;
  }
  if ((error as { code?: unknown } | undefined)?.code === 'EPIPE') return 0;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`latchkey: ${message}\n`);
  if (process.env['LATCHKEY_DEBUG'] !== undefined && error instanceof Error)
    process.stderr.write(`${error.stack}\n`);
  else process.stderr.write('hint: LATCHKEY_DEBUG=1 shows where; latchkey doctor checks the set-up\n');
  return 1;
}
