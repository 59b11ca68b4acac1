// How long things live, in milliseconds unless said. One home for the numbers that must agree with one another.

/** What verifiers may differ from us by, and how much a cache may be late. Seconds. */
export const clockSkew = 60;

/** `max-age` of the JWK Set. Seconds. */
export const jwksMaxAge = 300;

/** How long a key is published before it may sign: every cache has it by then. */
export const keyLeadTime = (jwksMaxAge + clockSkew) * 1000;

/** A mark lives until the longest-living token that it can hit has expired, and a margin. */
export function markLife(maxTokenLife: number): number {
  return (maxTokenLife + 60) * 1000;
}

/** A token that would be older than this when it is signed is not issued: its claims may be out of date. */
export const maxSigningDelay = 30_000;
