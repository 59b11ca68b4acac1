// Puts the settings together: flags over environment over configuration file. Every fault is collected and all are
// told at once. A secret is never repeated in a fault.
import { nearest } from '../spelling.ts';
import type { Reading } from './kinds.ts';
import type { Setting } from './setting.ts';
import { flagOf, settingNamed, settings, titleOf } from './table.ts';

export type Source = 'flag' | 'environment' | 'file';

export interface MergedSettings {
  /** By the setting's name, only what was given. */
  readonly values: ReadonlyMap<string, unknown>;
  /** Where each given value came from. */
  readonly sources: ReadonlyMap<string, Source>;
  readonly faults: readonly string[];
}

export interface SettingSources {
  readonly flags?: Readonly<Record<string, string | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly file?: Readonly<Record<string, unknown>> | undefined;
}

/** Merges and checks; never throws. */
export function mergeSettings({ flags = {}, environment, file = {} }: SettingSources): MergedSettings {
  const values = new Map<string, unknown>();
  const sources = new Map<string, Source>();
  const faults = [...unknownVariables(environment)];

  const take = (setting: Setting, source: Source, shown: string, given: unknown, reading: Reading) => {
    if ('fault' in reading) {
      faults.push(`${shown}: ${reading.fault}${setting.secret ? '' : `, not ${excerpt(given)}`}`);
    } else {
      values.set(setting.name, reading.value);
      sources.set(setting.name, source);
    }
  };

  for (const [name, given] of flattened(file, '', faults)) {
    const setting = settingNamed(name)!;
    if (setting.environmentOnly)
      faults.push(`${titleOf(setting)}: is a secret and is read from the environment only`);
    else take(setting, 'file', name, given, setting.kind.fromConfig(given));
  }
  for (const setting of settings) {
    const fromEnvironment = setting.env === undefined ? undefined : environment[setting.env];
    if (fromEnvironment !== undefined && fromEnvironment !== '') {
      take(setting, 'environment', setting.env!, fromEnvironment, setting.kind.fromText(fromEnvironment));
    }
    const fromFlag = flags[flagOf(setting)];
    if (fromFlag !== undefined)
      take(setting, 'flag', `--${flagOf(setting)}`, fromFlag, setting.kind.fromText(fromFlag));
  }
  return { values, sources, faults };
}

/** Walks a configuration object down to the names of the table; unknown keys become faults. */
function flattened(
  config: Readonly<Record<string, unknown>>,
  prefix: string,
  faults: string[],
): [string, unknown][] {
  const found: [string, unknown][] = [];
  for (const [key, value] of Object.entries(config)) {
    const name = prefix + key;
    if (value === undefined) continue;
    if (settingNamed(name) !== undefined) {
      found.push([name, value]);
    } else if (isGroup(name)) {
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        found.push(...flattened(value as Record<string, unknown>, `${name}.`, faults));
      } else {
        faults.push(`${name}: expected an object`);
      }
    } else {
      faults.push(
        `${name}: there is no such setting${didYouMean(
          name,
          settings.map((setting) => setting.name),
        )}`,
      );
    }
  }
  return found;
}

function isGroup(name: string): boolean {
  return settings.some((setting) => setting.name.startsWith(`${name}.`));
}

/** A variable that is nearly one of ours is a typing mistake; others may carry our prefix for their own ends. */
function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = settings.flatMap((setting) => setting.env ?? []);
  const faults: string[] = [];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('LATCHKEY_') || known.includes(name)) continue;
    const tail = (whole: string) => whole.slice('LATCHKEY_'.length);
    const meant = nearest(tail(name), known.map(tail));
    if (meant !== undefined)
      faults.push(`${name}: there is no such setting, did you mean LATCHKEY_${meant}?`);
  }
  return faults;
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? '' : `, did you mean ${meant}?`;
}

function excerpt(given: unknown): string {
  const shown = typeof given === 'string' ? `'${given}'` : (JSON.stringify(given) ?? typeof given);
  return shown.length > 40 ? `${shown.slice(0, 40)}…` : shown;
}
