// `latchkey init`: writes a configuration file in which every setting is there, explained and commented out, so that
// changing something is removing two slashes.
import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { usageError } from '../failure.ts';
import { findConfigFile } from '../settings/config_file.ts';
import { configTemplate } from '../settings/template.ts';
import { print, printJson } from '../terminal/print.ts';
import { type Command, jsonOption } from './command.ts';

export const init: Command = {
  usage: 'init [FILE]',
  words: ['[FILE]'],
  about: 'Writes latchkey.config.ts into this folder. Nothing in it has to be changed to start.',
  options: { force: { type: 'boolean', about: 'Replace a file that is there already' }, ...jsonOption },
  async run(input) {
    const file = resolve(input.words[0] ?? 'latchkey.config.ts');
    const there =
      input.words[0] === undefined ? findConfigFile(process.cwd()) : existsSync(file) ? file : undefined;
    if (there !== undefined && !input.has('force'))
      throw usageError(`${there} is there already`, 'latchkey init --force replaces it');
    writeFileSync(file, configTemplate());
    if (input.has('json')) return printJson({ file });
    print(`wrote ${file}`);
    print('next: latchkey doctor checks it, latchkey start runs it');
  },
};
