// What a presented refresh token means (docs/architecture.md, "Sessions and refresh"). A pure function of the session as
// it stands, what was presented, and the settings: the normal case is one conditional write in storage/sessions.ts, and
// this decides every other one.
import type { SessionState } from '../storage/sessions.ts';

/** Why a refresh is refused: the `reason` of a 400 invalid_grant. */
export type RefusedReason = 'ended' | 'idle' | 'expired' | 'disabled' | 'reuse' | 'state_lost' | 'unknown';

export interface Presented {
  /** The client that presents the token, as it proved to be. */
  readonly clientId: string;
  readonly generation: number;
  readonly idempotencyHash: string | null;
}

export interface RefreshSettings {
  /** Milliseconds. */
  readonly grace: number;
  /** Milliseconds without use after which a session is dead. */
  readonly idle: number;
}

export type RefreshDecision =
  /** The conditions of the write hold after all (somebody else was between): try it again. */
  | { readonly kind: 'advance' }
  /**
   * A new access token; the refresh token of this generation stays or is computed again. The generation does not advance:
   * this is a `current` token, one that `race`d, or a `late` retry of a lost answer, which begins the grace time anew.
   */
  | { readonly kind: 'answer'; readonly generation: number; readonly how: 'current' | 'race' | 'late' }
  /** End the session, once, and tell every verifier. */
  | { readonly kind: 'end'; readonly reason: 'reuse' | 'state_lost' }
  | { readonly kind: 'refuse'; readonly reason: RefusedReason };

export function decideRefresh(
  session: SessionState | undefined,
  presented: Presented,
  settings: RefreshSettings,
): RefreshDecision {
  // Another client's token: refused without a word, and the session is left alone (threat S06).
  if (session === undefined || session.clientId !== presented.clientId)
    return { kind: 'refuse', reason: 'unknown' };
  const dead = whyDead(session, settings);
  if (dead !== undefined) return { kind: 'refuse', reason: dead };

  const sinceRotation =
    session.rotatedAt === null ? Number.POSITIVE_INFINITY : session.now - session.rotatedAt;
  if (presented.generation === session.generation) {
    // Sooner than twice the grace time: several tabs. Advancing now would make the others' token a grandparent.
    if (sinceRotation < 2 * settings.grace)
      return { kind: 'answer', generation: session.generation, how: 'current' };
    return { kind: 'advance' };
  }
  if (presented.generation === session.generation - 1) {
    if (sinceRotation < settings.grace)
      return { kind: 'answer', generation: session.generation, how: 'race' };
    if (isRetry(session, presented)) return { kind: 'answer', generation: session.generation, how: 'late' };
  }
  // A good MAC on a generation that we have never reached: our state is older than the token, not the token stolen.
  if (presented.generation > session.generation) return { kind: 'end', reason: 'state_lost' };
  return { kind: 'end', reason: 'reuse' };
}

function isRetry(session: SessionState, presented: Presented): boolean {
  return session.idempotencyHash !== null && session.idempotencyHash === presented.idempotencyHash;
}

function whyDead(session: SessionState, settings: RefreshSettings): RefusedReason | undefined {
  if (session.endedReason !== null) return endedReasonFor(session.endedReason);
  if (!session.userAlive) return 'disabled';
  if (session.expiresAt <= session.now) return 'expired';
  if (session.lastUsedAt <= session.now - settings.idle) return 'idle';
  return undefined;
}

/** The holder learns of theft and lost state; who ended a session otherwise stays in the audit trail. */
function endedReasonFor(stored: string): RefusedReason {
  return stored === 'reuse' || stored === 'state_lost' || stored === 'disabled' ? stored : 'ended';
}
