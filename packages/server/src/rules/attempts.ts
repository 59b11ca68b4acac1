// How often a password may be tried (threats L01–L07). Counters exist for unknown names too, so that being limited tells
// nothing about an account. A known device has a counter of its own: somebody else's guessing never locks it out.
import { createHash } from 'node:crypto';

export interface AttemptLimit {
  readonly max: number;
  /** Milliseconds. */
  readonly window: number;
}

export interface AttemptLimits {
  readonly accountAndAddress: AttemptLimit;
  readonly address: AttemptLimit;
  /** All addresses together: what a distributed guesser meets. */
  readonly account: AttemptLimit;
  readonly device: AttemptLimit;
}

export interface AttemptCounter {
  readonly name: string;
  readonly limit: AttemptLimit;
}

export interface Attempt {
  /** The folded login name; empty where it has no canonical form. */
  readonly login: string;
  readonly address: string;
  /** The id of a device that has signed in to this very account before. */
  readonly device?: string | undefined;
}

/** The counters an attempt is counted in; every one of them must be under its limit. */
export function countersFor(attempt: Attempt, limits: AttemptLimits): AttemptCounter[] {
  if (attempt.device !== undefined) return [{ name: `device ${attempt.device}`, limit: limits.device }];
  // Names come from strangers: hashed, so that a counter's size is fixed and nothing typed by mistake is kept.
  const login = createHash('sha256').update(attempt.login).digest('base64url').slice(0, 22);
  return [
    { name: `address ${attempt.address}`, limit: limits.address },
    { name: `account ${login} ${attempt.address}`, limit: limits.accountAndAddress },
    { name: `account ${login}`, limit: limits.account },
  ];
}
