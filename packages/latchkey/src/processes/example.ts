// An example application: what `latchkey start --example NAME` runs behind the gateway. Its manifest is a module that
// exports one plain object, so that an example needs nothing of this package.
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Route } from '@latchkey/gateway';
import { CommandError, usageError } from '../failure.ts';

export interface StartedWith {
  /** Where each service listens, by name: `http://127.0.0.1:4101`. */
  readonly addresses: Readonly<Record<string, string>>;
  /** The people's user ids (`sub`), by user name. */
  readonly people: Readonly<Record<string, string>>;
}

export interface ExampleService {
  readonly name: string;
  /** A program for Node.js, relative to the manifest; sends `ready` over its channel. */
  readonly entry: string;
  /** Added to PORT, DATA_DIR, LATCHKEY_ISSUER, LATCHKEY_AUDIENCE, LATCHKEY_ISSUER_ADDRESS, LATCHKEY_CLIENT_ID and …_SECRET. */
  readonly env?: (started: StartedWith) => Readonly<Record<string, string>>;
}

export interface Example {
  readonly name: string;
  readonly services: readonly ExampleService[];
  readonly routes: (addresses: Readonly<Record<string, string>>) => readonly Route[];
  readonly roles: readonly {
    readonly name: string;
    readonly permissions: readonly string[];
    readonly description?: string;
  }[];
  readonly people: readonly {
    readonly username: string;
    readonly roles: readonly string[];
    readonly note?: string;
  }[];
  /** A path that the first person may read, for the lines to try. */
  readonly tryPath?: string;
}

export interface LoadedExample {
  readonly example: Example;
  readonly folder: string;
}

/** By name (`hospital`, in an `examples` folder here or above, or beside this package) or by the manifest's path. */
export async function loadExample(named: string, folder: string): Promise<LoadedExample> {
  const file = findManifest(named, folder);
  if (file === undefined) {
    throw usageError(
      `there is no example ${named}`,
      'the hospital comes with the repository; a path to a manifest works too',
    );
  }
  const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  const example = (module['default'] ?? module['example']) as Example | undefined;
  if (typeof example?.routes !== 'function' || !Array.isArray(example.services)) {
    throw new CommandError(`${file} exports no example`, {
      hint: 'export default { name, services, routes, roles, people }',
    });
  }
  return { example, folder: dirname(file) };
}

function findManifest(named: string, folder: string): string | undefined {
  if (isAbsolute(named) || /[/\\]|\.[mc]?[jt]s$/.test(named)) {
    const file = resolve(folder, named);
    return existsSync(file) ? file : undefined;
  }
  for (const start of [folder, dirname(fileURLToPath(import.meta.url))]) {
    for (let each = start; ; each = dirname(each)) {
      const file = join(each, 'examples', named, 'latchkey.example.ts');
      if (existsSync(file)) return file;
      if (dirname(each) === each) break;
    }
  }
  return undefined;
}
