// What a command is, and how its arguments are read. `parseArgs` of Node.js does the splitting; here its complaints
// become our own, with the option that was probably meant.
import { parseArgs } from 'node:util';
import { usageError } from '../failure.ts';
import { flagOf, settings } from '../settings/table.ts';
import { nearest } from '../spelling.ts';

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** The word for the value in help: `--role NAME`. */
  readonly value?: string;
  /** What it means without a value: `--wait` is `--wait=5`. Then a value needs the equals sign. */
  readonly implied?: string;
  readonly about: string;
}

export interface Input {
  /** What stands without dashes, in order. */
  readonly words: readonly string[];
  text(option: string): string | undefined;
  texts(option: string): readonly string[];
  has(option: string): boolean;
  /** The options that are settings, for readSettings. */
  readonly flags: Readonly<Record<string, string | undefined>>;
}

export interface Command {
  /** How it is called, without `latchkey`: `user add NAME`. */
  readonly usage: string;
  /** The words that must be given, then those that may: `NAME`, `[FILE]`. Three dots take all that follow. */
  readonly words?: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** What `--help` says between the usage and the options. */
  readonly about: string;
  readonly examples?: readonly string[];
  run(input: Input): Promise<void>;
}

export const jsonOption = { json: { type: 'boolean', about: 'Answer as JSON, for a script' } } as const;

/** Where the settings come from; every command that needs them takes these. */
export const locateOptions = {
  config: {
    type: 'string',
    value: 'FILE',
    about: 'The configuration file (default: latchkey.config.ts in this folder)',
  },
  'data-dir': { type: 'string', value: 'DIR', about: 'The data directory (default: ./data)' },
} as const satisfies Record<string, OptionSpec>;

/** Every setting that can be a flag, for the commands that start something. */
export function settingOptions(): Record<string, OptionSpec> {
  const options: Record<string, OptionSpec> = { ...locateOptions };
  for (const setting of settings.filter((each) => each.asFlag)) {
    const about = `${setting.about.split('. ')[0]?.replace(/\.$/, '')}${setting.byDefault ? ` (default: ${setting.byDefault})` : ''}`;
    options[flagOf(setting)] ??= {
      type: 'string',
      value: setting.kind.expected.startsWith('a port') ? 'PORT' : 'VALUE',
      about,
    };
  }
  return options;
}

const helpOption: OptionSpec = { type: 'boolean', short: 'h', about: 'Show this help' };

/** @throws CommandError with exit code 2 for whatever was written wrongly */
export function readInput(command: Command, args: readonly string[]): Input & { readonly help: boolean } {
  const options: Record<string, OptionSpec> = { ...command.options, help: helpOption };
  const { values, positionals } = parse(args, options, command);
  const help = values['help'] === true;
  if (!help) checkWords(command, positionals);
  const flags: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(values)) if (typeof value === 'string') flags[name] = value;
  return {
    help,
    words: positionals,
    flags,
    text: (option) => flags[option],
    texts: (option) => (values[option] as string[] | undefined) ?? [],
    has: (option) => values[option] === true,
  };
}

function parse(args: readonly string[], options: Record<string, OptionSpec>, command: Command) {
  try {
    return parseArgs({
      args: idsLast(withImplied(args, options), options),
      options: parserOptions(options),
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    throw argumentError(error as Error & { code?: string }, options, command);
  }
}

/** `parseArgs` knows no option whose value may be left out. */
function withImplied(args: readonly string[], options: Record<string, OptionSpec>): string[] {
  const end = args.indexOf('--');
  return args.map((arg, index) => {
    const implied = arg.startsWith('--') ? options[arg.slice(2)]?.implied : undefined;
    return implied === undefined || (end >= 0 && index > end) ? arg : `${arg}=${implied}`;
  });
}

/** How an option is written, for help and documentation. */
export function optionText(name: string, { type, value = 'VALUE', implied }: OptionSpec): string {
  if (type === 'boolean') return `--${name}`;
  return implied === undefined ? `--${name} ${value}` : `--${name}[=${value}]`;
}

/** Ids are random base64url and may begin with a dash: what has their length and is no option of ours is one. */
function idsLast(args: readonly string[], options: Record<string, OptionSpec>): string[] {
  const isId = (arg: string) =>
    /^-[A-Za-z0-9_-]+$/.test(arg) && [22, 43].includes(arg.length) && options[arg.slice(2)] === undefined;
  if (args.includes('--') || !args.some(isId)) return [...args];
  return [...args.filter((arg) => !isId(arg)), '--', ...args.filter(isId)];
}

function parserOptions(options: Record<string, OptionSpec>) {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short && { short }), ...(multiple && { multiple }) },
    ]),
  );
}

function argumentError(
  error: Error & { code?: string },
  options: Record<string, OptionSpec>,
  command: Command,
): Error {
  const help = `latchkey ${command.usage
    .split(' ')
    .filter((word) => /^[a-z]/.test(word))
    .join(' ')} --help`;
  const named = /'(-[^' ]*)/.exec(error.message)?.[1] ?? '';
  if (error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const meant = nearest(named.replace(/^-+/, ''), Object.keys(options));
    return usageError(`there is no option ${named}`, meant === undefined ? help : `did you mean --${meant}?`);
  }
  if (error.code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
    const long = /(--[a-z-]+)/.exec(error.message)?.[1] ?? named;
    const spec = options[long.replace(/^--/, '')];
    if (spec?.type === 'boolean') return usageError(`${long} takes no value`, help);
    return usageError(`${long} needs a value`, `${long} ${spec?.value ?? 'VALUE'}`);
  }
  return usageError((error.message.split('.')[0] ?? '').toLowerCase(), help);
}

function checkWords(command: Command, given: readonly string[]): void {
  const wanted = command.words ?? [];
  const required = wanted.filter((word) => !word.startsWith('['));
  const missing = required[given.length];
  if (missing !== undefined) {
    throw usageError(`${missing.replace('...', '').toLowerCase()} is missing`, `latchkey ${command.usage}`);
  }
  if (given.length > wanted.length && !wanted.some((word) => word.includes('...'))) {
    throw usageError(`'${given[wanted.length]}' is one word too many`, `latchkey ${command.usage}`);
  }
}
