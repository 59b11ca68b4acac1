// What a fleet and the processes of its verifiers say to one another (fleet.ts, fleet_member.ts).
import type { RegisteredClient } from './people.ts';

export interface MemberWork {
  readonly authPort: number;
  readonly issuer: string;
  readonly audience: string;
  readonly light: number;
  readonly full: number;
  /** The first of the full ones are registered as these. */
  readonly clients: readonly RegisteredClient[];
}

/** From the parent: what to do, which marks will come, and the end. */
export type ToMember = { readonly work: MemberWork } | { readonly values: readonly string[] } | 'collect';

export interface MemberTimes {
  /** One row a verifier, one figure a mark: milliseconds of the machine's monotonic clock, NaN for never. */
  readonly times: readonly Float64Array[];
  /** Full verifiers that are connected at the end. */
  readonly connected: number;
}

/** The same in every process of a machine. */
export const clock = (): number => Number(process.hrtime.bigint()) / 1e6;
