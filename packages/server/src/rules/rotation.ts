// When signing keys change state (threat K04): a key is published as `next` long enough for every cache before it signs,
// and stays as `previous` until the last token it signed has expired. Pure: the plan for a list of keys at a time.
import type { SigningKeyRecord } from '../storage/signing_keys.ts';
import { clockSkew, keyLeadTime } from './lifetimes.ts';

export interface RotationPolicy {
  readonly alg: string;
  /** Milliseconds that a key signs before it is rotated. */
  readonly every: number;
  /** Seconds: the longest life of an access token. */
  readonly maxTokenLife: number;
}

export interface RotationPlan {
  /** Make and publish a key that is to sign next. */
  readonly create: boolean;
  /** Let this `next` key sign, and make the `current` one `previous`. */
  readonly promote:
    | { readonly next: string; readonly current: string | undefined; readonly retiresAt: number }
    | undefined;
  /** Remove these `previous` keys: nothing they signed lives. */
  readonly retire: readonly string[];
}

/** `force`: rotate though it is not due. `early`: even though some cache may not have the next key yet. */
export function planRotation(
  keys: readonly SigningKeyRecord[],
  now: number,
  policy: RotationPolicy,
  force = false,
  early = false,
): RotationPlan {
  const current = keys.find((key) => key.state === 'current');
  const next = keys.find((key) => key.state === 'next' && key.alg === policy.alg);
  // Another algorithm was chosen: the old key signs on until every cache has the first of the new ones.
  const replaced = current !== undefined && current.alg !== policy.alg;
  const due = current === undefined || force || replaced || now >= current.activatesAt + policy.every;
  const ready = next !== undefined && (now >= next.activatesAt || early || current === undefined);
  return {
    create: next === undefined,
    promote:
      due && ready
        ? { next: next.kid, current: current?.kid, retiresAt: retirementTime(now, policy) }
        : undefined,
    retire: keys.filter((key) => isSpent(key, now, policy)).map((key) => key.kid),
  };
}

/** Nothing it signed lives, or it was to sign with an algorithm that is not used any more. */
function isSpent(key: SigningKeyRecord, now: number, policy: RotationPolicy): boolean {
  if (key.state === 'next') return key.alg !== policy.alg;
  return key.state === 'previous' && key.retiresAt !== null && key.retiresAt <= now;
}

export function retirementTime(now: number, policy: RotationPolicy): number {
  return now + (policy.maxTokenLife + clockSkew) * 1000;
}

/** The earliest moment at which a key made now may sign. */
export function activationTime(now: number): number {
  return now + keyLeadTime;
}
