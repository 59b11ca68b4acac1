// `latchkey help`: all commands on one screen, or everything about one of them.
import { usageError } from '../failure.ts';
import { nearest } from '../spelling.ts';
import { print, styled } from '../terminal/print.ts';
import { type Command, optionText } from './command.ts';
import { commands, type Entry, groups } from './table.ts';

export const help: Command = {
  usage: 'help [COMMAND]',
  words: ['[COMMAND...]'],
  about: 'Lists all commands, or explains one.',
  options: {},
  examples: ['latchkey help', 'latchkey help user add'],
  async run(input) {
    if (input.words.length === 0) return printOverview();
    const name = input.words.join(' ');
    const entry = commands.find((each) => each.name === name);
    if (entry !== undefined) return printCommandHelp(entry, await entry.load());
    const below = commands.filter((each) => each.name.startsWith(`${name} `));
    if (below.length > 0) return print(lines(below).join('\n'));
    const meant = nearest(
      name,
      commands.map((each) => each.name),
    );
    throw usageError(`there is no command ${name}`, meant && `did you mean latchkey help ${meant}?`);
  },
};

function printOverview(): void {
  print(
    `${styled('bold', 'latchkey')}: sign people in once, then let every service check their tokens by itself\n`,
  );
  print('usage: latchkey COMMAND [OPTIONS]');
  for (const [group, title] of groups) {
    print(`\n${styled('bold', title)}`);
    print(lines(commands.filter((entry) => entry.group === group)).join('\n'));
  }
  print(
    '\nlatchkey COMMAND --help explains a command. Settings come from latchkey.config.ts and from LATCHKEY_*',
  );
  print('variables; latchkey init writes the file with every setting explained.');
}

function lines(entries: readonly Entry[]): string[] {
  const width = Math.max(...commands.map((entry) => entry.name.length));
  return entries.map((entry) => `  ${entry.name.padEnd(width)}  ${entry.summary}`);
}

/** Usage, what it does, its options, examples. */
export function printCommandHelp(entry: Entry, command: Command): void {
  print(`usage: latchkey ${command.usage}${Object.keys(command.options).length > 0 ? ' [OPTIONS]' : ''}\n`);
  print(`${entry.summary}. ${command.about}`);
  const options = Object.entries(command.options).map(([name, spec]) => {
    const short = spec.short === undefined ? '' : `-${spec.short}, `;
    return [short + optionText(name, spec), spec.about] as const;
  });
  if (options.length > 0) {
    const width = Math.max(...options.map(([option]) => option.length));
    print(`\n${styled('bold', 'Options')}`);
    for (const [option, about] of options) print(`  ${option.padEnd(width)}  ${about}`);
  }
  if (command.examples !== undefined) {
    print(`\n${styled('bold', 'Examples')}`);
    for (const example of command.examples) print(`  ${example}`);
  }
}
