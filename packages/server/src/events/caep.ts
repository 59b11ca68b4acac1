// What a mark says to third parties, in the words of the Continuous Access Evaluation Profile (OpenID CAEP 1.0). Pure. Marks that
// CAEP has no event for make none: a single token (its session lives), a key, and the role table, whose change would be one event
// for every holder.
import type { Mark } from '../storage/signals.ts';

/** By the name that they have here; the address is the one that CAEP gives. */
export const eventTypes = {
  'session-revoked': 'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
  'token-claims-change': 'https://schemas.openid.net/secevent/caep/event-type/token-claims-change',
  'credential-change': 'https://schemas.openid.net/secevent/caep/event-type/credential-change',
} as const;

export type EventType = keyof typeof eventTypes;

export function isEventType(name: string): name is EventType {
  return Object.hasOwn(eventTypes, name);
}

/** Whom it is about: a user, one session of a user, or every session that began through one client. */
export interface EventSubject {
  readonly user?: string;
  readonly session?: string;
  readonly application?: string;
}

export interface SecurityEvent {
  readonly type: EventType;
  readonly subject: EventSubject;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What the mark itself does not say. */
export interface MarkFacts {
  /** The session's user, for a mark by `sid`. */
  readonly userId?: string | undefined;
  /** Why: the session's, or the mark's own. */
  readonly cause?: string | undefined;
  /** The user as of now, for stale marks. */
  readonly user?: { readonly username: string; readonly roles: readonly string[] } | undefined;
}

/** CAEP §2: who began it, and a sentence for the receiver's log. */
const causes: Readonly<Record<string, readonly ['admin' | 'user' | 'policy' | 'system', string]>> = {
  logout: ['user', 'The user signed out.'],
  ended_by_user: ['user', 'The user ended the session from another device.'],
  ended_by_administrator: ['admin', 'An administrator ended the session.'],
  revoked: ['system', 'A client revoked the refresh token.'],
  reuse: ['policy', 'A refresh token was used a second time.'],
  state_lost: ['system', 'The session state was lost.'],
  password_changed: ['user', 'The user changed the password.'],
  password_set: ['admin', 'An administrator set a new password.'],
  disabled: ['admin', 'The account was disabled.'],
  deleted: ['admin', 'The account was deleted.'],
  client_deleted: ['admin', 'The client was removed.'],
  roles: ['admin', 'The roles of the user changed.'],
  username: ['admin', 'The name of the user changed.'],
};

function common(cause: string | undefined) {
  const [entity, text] = causes[cause ?? ''] ?? ['system', 'Access was taken back.'];
  return { initiating_entity: entity, reason_admin: { en: text } };
}

const isPassword = (cause: string | undefined) => cause === 'password_changed' || cause === 'password_set';

/** The events of a mark, in order; mostly one, often none. */
export function eventsOf(mark: Mark, facts: MarkFacts): SecurityEvent[] {
  const details = common(facts.cause);
  if (mark.kind === 'stale') {
    if (mark.by !== 'sub' || facts.user === undefined) return [];
    const { username, roles } = facts.user;
    const claims = facts.cause === 'username' ? { preferred_username: username } : { roles };
    return [{ type: 'token-claims-change', subject: { user: mark.value }, details: { ...details, claims } }];
  }
  const revoked = (subject: EventSubject): SecurityEvent => ({ type: 'session-revoked', subject, details });
  if (mark.by === 'sid')
    return [revoked({ ...(facts.userId === undefined ? {} : { user: facts.userId }), session: mark.value })];
  if (mark.by === 'client') return [revoked({ application: mark.value })];
  if (mark.by !== 'sub') return [];
  const changed: SecurityEvent = {
    type: 'credential-change',
    subject: { user: mark.value },
    details: { ...details, credential_type: 'password', change_type: 'update' },
  };
  return [revoked({ user: mark.value }), ...(isPassword(facts.cause) ? [changed] : [])];
}
