// When signing keys change state (threat K04): a key is published as `next` long enough for every cache before it signs,
// then until every registered verifier that is connected has said that it has it, and stays as `previous` until the last
// token it signed has expired. Pure: the plan for a list of keys at a time.
import type { SigningKeyRecord } from '../storage/signing_keys.ts';
import { clockSkew, keyLeadTime } from './lifetimes.ts';

export interface RotationPolicy {
  readonly alg: string;
  /** Milliseconds that a key signs before it is rotated. */
  readonly every: number;
  /** Seconds: the longest life of an access token. */
  readonly maxTokenLife: number;
}

/** What the keys themselves do not say. All false by default. */
export interface RotationCircumstances {
  /** Rotate though it is not due. */
  readonly force?: boolean;
  /** Even though some cache or verifier may not have the next key yet. */
  readonly early?: boolean;
  /** A verifier that is connected has not said that it has the next key. */
  readonly behind?: boolean;
}

export interface RotationPlan {
  /** Make and publish a key that is to sign next. */
  readonly create: boolean;
  /** Let this `next` key sign, and make the `current` one `previous`. */
  readonly promote:
    | { readonly next: string; readonly current: string | undefined; readonly retiresAt: number }
    | undefined;
  /** Note that this `next` key waits, from now on, for verifiers alone. */
  readonly wait: string | undefined;
  /** Remove these `previous` keys: nothing they signed lives. */
  readonly retire: readonly string[];
}

/** Milliseconds that a key which may sign waits for verifiers: by then every one has looked for keys by itself again. */
export const longestWait = keyLeadTime;

export function planRotation(
  keys: readonly SigningKeyRecord[],
  now: number,
  policy: RotationPolicy,
  { force = false, early = false, behind = false }: RotationCircumstances = {},
): RotationPlan {
  const current = keys.find((key) => key.state === 'current');
  const next = nextKey(keys, policy);
  // Another algorithm was chosen: the old key signs on until every cache has the first of the new ones.
  const replaced = current !== undefined && current.alg !== policy.alg;
  const due = current === undefined || force || replaced || now >= current.activatesAt + policy.every;
  const anyway = early || current === undefined;
  const mayPromote = next !== undefined && due && (now >= next.activatesAt || anyway);
  const waits = mayPromote && behind && !anyway && !isWaitOver(next, now);
  return {
    create: next === undefined,
    promote:
      mayPromote && !waits
        ? { next: next.kid, current: current?.kid, retiresAt: retirementTime(now, policy) }
        : undefined,
    wait: waits && !isWaiting(next, now) ? next.kid : undefined,
    retire: keys.filter((key) => isSpent(key, now, policy)).map((key) => key.kid),
  };
}

/** The key that is to sign next. */
export function nextKey(
  keys: readonly SigningKeyRecord[],
  { alg }: Pick<RotationPolicy, 'alg'>,
): SigningKeyRecord | undefined {
  return keys.find((key) => key.state === 'next' && key.alg === alg);
}

/** A forced rotation that was refused, and not asked for again in good time, waits anew. */
function isWaiting({ waitingSince }: SigningKeyRecord, now: number): boolean {
  return waitingSince !== null && now - waitingSince < 2 * longestWait;
}

function isWaitOver(next: SigningKeyRecord, now: number): boolean {
  return isWaiting(next, now) && now - (next.waitingSince ?? now) >= longestWait;
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
