// Sessions: one per sign-in. A refresh is one conditional write, so that racing refreshes agree on one successor; a
// session is alive only while its user is enabled and was not revoked since the sign-in (`born_ver`).
import type { Queries, Transaction } from './database.ts';
import { splitNames } from './users.ts';

/** What a token says of a session's user, read in the very statement that made or advanced the session. */
export interface TokenSubject {
  readonly userId: string;
  readonly username: string;
  readonly roles: readonly string[];
  readonly ver: number;
  /** Tokens of this user with a lower `ver` are dead. */
  readonly revokedBelow: number;
  /** The role table's version: permissions are read for exactly this one. */
  readonly rver: number;
  readonly sessionId: string;
  readonly clientId: string;
  readonly audience: string;
  readonly generation: number;
  /** Milliseconds since 1970, the database's clock. */
  readonly authTime: number;
  readonly expiresAt: number;
  /** The statement's time: the token's `iat`. */
  readonly readAt: number;
}

interface SubjectRow {
  user_id: string;
  username: string;
  roles: string | null;
  ver: number;
  revoked_below: number;
  rver: number;
  id: string;
  client_id: string;
  audience: string;
  generation: number;
  auth_time: number;
  expires_at: number;
  read_at: number;
}

const alive = `ended_at IS NULL AND expires_at > now_ms() AND last_used_at > now_ms() - ?
  AND EXISTS (SELECT 1 FROM users WHERE users.id = user_id AND disabled = 0 AND born_ver >= revoked_below)`;

const subject = `user_id, id, client_id, audience, generation, auth_time, expires_at, now_ms() AS read_at,
  (SELECT username FROM users WHERE users.id = user_id) AS username,
  (SELECT ver FROM users WHERE users.id = user_id) AS ver,
  (SELECT revoked_below FROM users WHERE users.id = user_id) AS revoked_below,
  (SELECT string_agg(role, ' ' ORDER BY role) FROM user_roles WHERE user_roles.user_id = sessions.user_id) AS roles,
  (SELECT value FROM counters WHERE name = 'rver') AS rver`;

function subjectOf(row: SubjectRow): TokenSubject {
  return {
    userId: row.user_id,
    username: row.username,
    roles: splitNames(row.roles),
    ver: row.ver,
    revokedBelow: row.revoked_below,
    rver: row.rver,
    sessionId: row.id,
    clientId: row.client_id,
    audience: row.audience,
    generation: row.generation,
    authTime: row.auth_time,
    expiresAt: row.expires_at,
    readAt: row.read_at,
  };
}

export interface NewSession {
  readonly id: string;
  readonly userId: string;
  readonly clientId: string;
  readonly audience: string;
  /** The user's `ver` as read together with the password hash. */
  readonly bornVer: number;
  /** Milliseconds. */
  readonly maxAge: number;
  readonly ip: string;
  readonly userAgent: string;
}

/** Makes the session, unless the user was disabled, deleted or revoked since `bornVer` was read: then undefined. */
export async function insertSession(tx: Transaction, session: NewSession): Promise<TokenSubject | undefined> {
  const row = await tx.one<SubjectRow>(
    `INSERT INTO sessions (id, user_id, client_id, audience, born_ver, generation, auth_time, created_at, last_used_at, expires_at, ip, user_agent)
     SELECT ?, users.id, ?, ?, ?, 0, now_ms(), now_ms(), now_ms(), now_ms() + ?, ?, ? FROM users
     WHERE users.id = ? AND disabled = 0 AND revoked_below <= ?
     RETURNING ${subject}`,
    session.id,
    session.clientId,
    session.audience,
    session.bornVer,
    session.maxAge,
    session.ip,
    session.userAgent,
    session.userId,
    session.bornVer,
  );
  return row && subjectOf(row);
}

export interface Advance {
  readonly sessionId: string;
  readonly clientId: string;
  readonly generation: number;
  readonly idempotencyHash: string | null;
  /** Milliseconds that must lie between two rotations: twice the grace time. */
  readonly minAge: number;
  /** Milliseconds without use after which a session is dead. */
  readonly idle: number;
}

/**
 * The refresh: moves the session to the next generation if it is alive, stands at the presented generation, and was
 * not rotated a moment ago. A repeated Idempotency-Key is stored as none, so that a constant key cannot switch theft
 * detection off. Undefined when any condition fails: read the session and let rules/refresh.ts say what it means.
 */
export async function advanceSession(tx: Transaction, advance: Advance): Promise<TokenSubject | undefined> {
  const row = await tx.one<SubjectRow>(
    `UPDATE sessions SET generation = generation + 1, rotated_at = now_ms(), late_retries = 0, last_used_at = now_ms(),
       idempotency_hash = CASE WHEN idempotency_hash = ? THEN NULL ELSE ? END
     WHERE id = ? AND client_id = ? AND generation = ? AND (rotated_at IS NULL OR rotated_at <= now_ms() - ?) AND ${alive}
     RETURNING ${subject}`,
    advance.idempotencyHash,
    advance.idempotencyHash,
    advance.sessionId,
    advance.clientId,
    advance.generation,
    advance.minAge,
    advance.idle,
  );
  return row && subjectOf(row);
}

/** Late retries of one rotation that begin the grace time anew. Whoever repeats them cannot put off the next rotation for ever. */
const maxGraceRestarts = 8;

/**
 * Begins the grace time of the last rotation anew, because its lost answer has been asked for again, late. All tabs of a
 * laptop that wakes up ask within moments of one another: if the first to be answered could rotate at once, the
 * requests of the others, still on their way with the same old token, would look like theft.
 */
export async function restartGrace(tx: Transaction, sessionId: string): Promise<void> {
  await tx.run(
    'UPDATE sessions SET rotated_at = now_ms(), late_retries = late_retries + 1 WHERE id = ? AND late_retries < ?',
    sessionId,
    maxGraceRestarts,
  );
}

/** What a token may say now, for a session that does not advance. Undefined when it is not alive. */
export async function readSubject(
  queries: Queries,
  sessionId: string,
  idle: number,
): Promise<TokenSubject | undefined> {
  const row = await queries.one<SubjectRow>(
    `SELECT ${subject} FROM sessions WHERE id = ? AND ${alive}`,
    sessionId,
    idle,
  );
  return row && subjectOf(row);
}

/** Everything the refresh rules look at. */
export interface SessionState {
  readonly userId: string;
  readonly clientId: string;
  readonly generation: number;
  readonly rotatedAt: number | null;
  readonly idempotencyHash: string | null;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  readonly endedReason: string | null;
  /** The user is enabled and was not revoked since the sign-in. */
  readonly userAlive: boolean;
  readonly now: number;
}

export async function readSessionState(
  queries: Queries,
  sessionId: string,
): Promise<SessionState | undefined> {
  const row = await queries.one<{
    user_id: string;
    client_id: string;
    generation: number;
    rotated_at: number | null;
    idempotency_hash: string | null;
    last_used_at: number;
    expires_at: number;
    ended_reason: string | null;
    user_alive: number;
    now: number;
  }>(
    `SELECT user_id, client_id, generation, rotated_at, idempotency_hash, last_used_at, expires_at, ended_reason, now_ms() AS now,
       (SELECT count(*) FROM users WHERE users.id = user_id AND disabled = 0 AND born_ver >= revoked_below) AS user_alive
     FROM sessions WHERE id = ?`,
    sessionId,
  );
  return (
    row && {
      userId: row.user_id,
      clientId: row.client_id,
      generation: row.generation,
      rotatedAt: row.rotated_at,
      idempotencyHash: row.idempotency_hash,
      lastUsedAt: row.last_used_at,
      expiresAt: row.expires_at,
      endedReason: row.ended_reason,
      userAlive: row.user_alive === 1,
      now: row.now,
    }
  );
}

/** Ends one session once; answers its user, or undefined when it was not there or had ended already. */
export async function endSession(
  tx: Transaction,
  sessionId: string,
  reason: string,
): Promise<string | undefined> {
  const row = await tx.one<{ user_id: string }>(
    'UPDATE sessions SET ended_at = now_ms(), ended_reason = ? WHERE id = ? AND ended_at IS NULL RETURNING user_id',
    reason,
    sessionId,
  );
  return row?.user_id;
}

/** Ends every session of a user, except one that may survive; answers how many. */
export async function endSessionsOfUser(
  tx: Transaction,
  userId: string,
  reason: string,
  except = '',
): Promise<number> {
  return await tx.run(
    'UPDATE sessions SET ended_at = now_ms(), ended_reason = ? WHERE user_id = ? AND id <> ? AND ended_at IS NULL',
    reason,
    userId,
    except,
  );
}

export async function endSessionsOfClient(
  tx: Transaction,
  clientId: string,
  reason: string,
): Promise<number> {
  return await tx.run(
    'UPDATE sessions SET ended_at = now_ms(), ended_reason = ? WHERE client_id = ? AND ended_at IS NULL',
    reason,
    clientId,
  );
}

/** Moves the surviving session to the new `ver` and gives it a new generation: its old refresh token is the predecessor. */
export async function renewSession(
  tx: Transaction,
  sessionId: string,
  ver: number,
): Promise<TokenSubject | undefined> {
  const row = await tx.one<SubjectRow>(
    `UPDATE sessions SET born_ver = ?, generation = generation + 1, rotated_at = now_ms(), late_retries = 0, last_used_at = now_ms(), idempotency_hash = NULL
     WHERE id = ? AND ended_at IS NULL RETURNING ${subject}`,
    ver,
    sessionId,
  );
  return row && subjectOf(row);
}

export interface SessionRecord {
  readonly id: string;
  readonly userId: string;
  readonly clientId: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  readonly ip: string;
  readonly userAgent: string;
}

interface SessionRow {
  id: string;
  user_id: string;
  client_id: string;
  created_at: number;
  last_used_at: number;
  expires_at: number;
  ip: string;
  user_agent: string;
}

const recordColumns = 'id, user_id, client_id, created_at, last_used_at, expires_at, ip, user_agent';

function recordOf(row: SessionRow): SessionRecord {
  return {
    id: row.id,
    userId: row.user_id,
    clientId: row.client_id,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    expiresAt: row.expires_at,
    ip: row.ip,
    userAgent: row.user_agent,
  };
}

/** A page of everybody's live sessions by id, which is random: the one order that needs no further index. */
export async function listAllSessions(
  queries: Queries,
  idle: number,
  after: string,
  limit: number,
): Promise<SessionRecord[]> {
  const rows = await queries.all<SessionRow>(
    `SELECT ${recordColumns} FROM sessions WHERE id > ? AND ${alive} ORDER BY id LIMIT ?`,
    after,
    idle,
    limit,
  );
  return rows.map(recordOf);
}

/** A page of a user's live sessions, newest first; `after` is the id of the last one seen, or empty. */
export async function listSessions(
  queries: Queries,
  userId: string,
  idle: number,
  after: string,
  limit: number,
): Promise<SessionRecord[]> {
  const rows = await queries.all<SessionRow>(
    `SELECT ${recordColumns} FROM sessions
     WHERE user_id = ? AND ${alive}
       AND (? = '' OR (created_at, id) < (SELECT s.created_at, s.id FROM sessions s WHERE s.id = ?))
     ORDER BY created_at DESC, id DESC LIMIT ?`,
    userId,
    idle,
    after,
    after,
    limit,
  );
  return rows.map(recordOf);
}

/** Removes sessions that have been dead for `keep` milliseconds, some at a time; answers how many. */
export async function sweepSessions(tx: Transaction, keep: number, limit: number): Promise<number> {
  return await tx.run(
    `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < now_ms() - ? LIMIT ?)`,
    keep,
    limit,
  );
}
