// Finds and reads the configuration file. A file that was named must exist; one that was not is looked for in the
// current folder. Whatever goes wrong while reading becomes one message: the file is a program, its stack is not ours.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CommandError, usageError } from '../failure.ts';

const names = ['ts', 'mts', 'js', 'mjs', 'json'].map((ending) => `latchkey.config.${ending}`);

export interface ConfigFile {
  readonly file: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** The configuration file that `latchkey` would read in this folder, if there is one. */
export function findConfigFile(folder: string): string | undefined {
  return names.map((name) => resolve(folder, name)).find((file) => existsSync(file));
}

/** @throws CommandError when the named file is missing, cannot be read, or is not an object of settings */
export async function readConfigFile(
  named: string | undefined,
  folder: string,
): Promise<ConfigFile | undefined> {
  const file = named === undefined ? findConfigFile(folder) : resolve(folder, named);
  if (file === undefined) return undefined;
  if (!existsSync(file) || !statSync(file).isFile()) {
    throw usageError(`there is no configuration file ${file}`, 'latchkey init writes one');
  }
  const config = extname(file) === '.json' ? readJson(file) : await importConfig(file);
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new CommandError(`${file} does not hold an object of settings`, {
      hint:
        extname(file) === '.json' ? 'it starts with { and ends with }' : 'export default defineConfig({ … })',
    });
  }
  return { file, config: config as Record<string, unknown> };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CommandError(`${file} is not valid json: ${firstLine(error)}`);
  }
}

async function importConfig(file: string): Promise<unknown> {
  try {
    const module: unknown = await withoutModuleWarning(() => import(pathToFileURL(file).href));
    return (module as { default?: unknown }).default;
  } catch (error) {
    const missing = (error as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND';
    throw new CommandError(`${file} could not be loaded: ${firstLine(error)}`, {
      hint: missing ? 'npm install latchkey in that folder, or import only its types' : undefined,
    });
  }
}

/** Node.js warns that a file without a package.json was read twice to learn that it is a module; nobody here cares. */
async function withoutModuleWarning<T>(work: () => Promise<T>): Promise<T> {
  const original = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: never[]) => {
    const [first, second] = rest as unknown[];
    const code = typeof first === 'object' && first !== null ? (first as { code?: string }).code : second;
    if (code !== 'MODULE_TYPELESS_PACKAGE_JSON') (original as (...all: unknown[]) => void)(warning, ...rest);
  }) as typeof process.emitWarning;
  try {
    return await work();
  } finally {
    process.emitWarning = original;
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
