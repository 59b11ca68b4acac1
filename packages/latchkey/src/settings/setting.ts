// What one setting is: its name in the configuration file, its environment variable, what it accepts, its default and what
// it is for.
import type { Kind } from './kinds.ts';

export type Group =
  | 'addresses'
  | 'data'
  | 'first start'
  | 'tokens and sessions'
  | 'passwords'
  | 'limits'
  | 'signals'
  | 'behind it';

export interface Setting {
  /** As in the configuration file; a dot leads into a nested object. */
  readonly name: string;
  readonly env?: string;
  readonly kind: Kind;
  readonly group: Group;
  /** The default, as documentation; `undefined` where there is none. */
  readonly byDefault?: string;
  readonly about: string;
  /** Never shown in a message, a log or `--json`. */
  readonly secret?: true;
  /** Refused in a configuration file, which ends up in version control. */
  readonly environmentOnly?: true;
  /** Can be given as `--name` to the commands that start something. */
  readonly asFlag?: true;
}
