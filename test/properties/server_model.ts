// What must become of every access token when administrators and holders do this and that: said in terms of people, sessions, roles
// and clients, and of nothing that the server or its signals are made of.
export type Fate = 'accepted' | 'stale' | 'revoked';

export interface HeldToken {
  readonly text: string;
  readonly jti: string;
  readonly kid: string;
  readonly person: Person;
  readonly session: HeldSession;
  readonly roles: readonly string[];
  fate: Fate;
}

export interface HeldSession {
  readonly id: string;
  readonly person: Person;
  /** Registered, or the system's own. */
  readonly clientId: string | undefined;
  refreshToken: string;
  /** The ones it replaced. */
  readonly spent: string[];
  alive: boolean;
}

export interface Person {
  readonly id: string;
  username: string;
  password: string;
  roles: readonly string[];
  disabled: boolean;
  deleted: boolean;
}

export function createServerModel() {
  const tokens: HeldToken[] = [];
  const sessions: HeldSession[] = [];

  const revoke = (hits: (token: HeldToken) => boolean): void => {
    for (const token of tokens) if (hits(token)) token.fate = 'revoked';
  };
  const stale = (hits: (token: HeldToken) => boolean): void => {
    for (const token of tokens) if (token.fate === 'accepted' && hits(token)) token.fate = 'stale';
  };
  const endSessions = (hits: (session: HeldSession) => boolean): void => {
    for (const session of sessions) if (hits(session)) session.alive = false;
  };

  return {
    tokens,
    sessions,
    sessionEnded(session: HeldSession): void {
      session.alive = false;
      revoke((token) => token.session === session);
    },
    /** Banned, deleted, signed out everywhere, or given another password; `but` is the session that made the change. */
    personEnded(person: Person, but?: HeldSession): void {
      endSessions((session) => session.person === person && session !== but);
      revoke((token) => token.person === person);
    },
    rolesChanged(person: Person, roles: readonly string[]): void {
      person.roles = roles;
      stale((token) => token.person === person);
    },
    /** Tokens carry the name. */
    renamed: (person: Person): void => stale((token) => token.person === person),
    roleLost: (role: string): void => stale((token) => token.roles.includes(role)),
    tokenKilled: (killed: HeldToken): void => revoke((token) => token === killed),
    clientRemoved(clientId: string): void {
      endSessions((session) => session.clientId === clientId);
      revoke(({ session }) => session.clientId === clientId);
    },
    keyRemoved: (kid: string): void => revoke((token) => token.kid === kid),
  };
}

export type ServerModel = ReturnType<typeof createServerModel>;
