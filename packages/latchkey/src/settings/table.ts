// Every setting there is, in the order in which a person meets them. Reading, checking, `--help`, `latchkey init` and
// docs/configuration.md all come from this table; each group of settings is a file of the folder beside it.
import type { Setting } from './setting.ts';
import { addresses } from './table/addresses.ts';
import { behind } from './table/behind.ts';
import { data } from './table/data.ts';
import { limits } from './table/limits.ts';
import { passwords } from './table/passwords.ts';
import { signals } from './table/signals.ts';
import { tokens } from './table/tokens.ts';

export const settings: readonly Setting[] = [
  ...addresses,
  ...data,
  ...tokens,
  ...passwords,
  ...limits,
  ...signals,
  ...behind,
];

const byName = new Map(settings.map((setting) => [setting.name, setting]));

export function settingNamed(name: string): Setting | undefined {
  return byName.get(name);
}

/** `authPort` → `--auth-port`. */
export function flagOf(setting: Setting): string {
  return setting.name.replaceAll(/[A-Z.]/g, (letter) => `-${letter === '.' ? '' : letter.toLowerCase()}`);
}

/** How a person knows the setting, for messages: `port (LATCHKEY_PORT)`. */
export function titleOf(setting: Setting): string {
  return setting.env === undefined ? setting.name : `${setting.name} (${setting.env})`;
}
