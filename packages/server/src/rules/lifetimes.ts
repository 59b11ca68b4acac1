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

/** A registered verifier that is silent for so long leaves the fleet: nobody waits for it any more. */
export const fleetSilence = 60_000;

/** How long a verifier goes on trusting what it knew at its last `as_of`, `sensitive` routes apart. */
export function trustTime(maxTokenLife: number): number {
  return Math.max(maxTokenLife, 300) * 1000;
}
