// `latchkey version`: what runs here, in the form a bug report needs.
import { readFileSync } from 'node:fs';
import { print, printJson } from '../terminal/print.ts';
import { type Command, jsonOption } from './command.ts';

export const version: Command = {
  usage: 'version',
  about: 'Prints the versions of latchkey and of the Node.js that runs it.',
  options: jsonOption,
  async run(input) {
    const found = {
      latchkey: packageVersion(),
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
    };
    if (input.has('json')) return printJson(found);
    print(`latchkey ${found.latchkey} (node ${found.node}, ${found.platform})`);
  },
};

/** From package.json, which lies two folders up from the source and from the compiled file alike. */
function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}
