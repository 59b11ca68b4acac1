// The refresh (RFC 6749 §6): one conditional write in the normal case; every other case is read and judged by
// rules/refresh.ts inside the same transaction. Racers get the same successor, because it is computed; an old token that
// comes back ends the session and tells every verifier.
import { createHash } from 'node:crypto';
import { AuthError } from '../errors.ts';
import type { RefreshKeyring } from '../keys/refresh_keyring.ts';
import { openRefreshToken, type RefreshTokenContent } from '../keys/refresh_token.ts';
import {
  decideRefresh,
  type Presented,
  type RefreshDecision,
  type RefreshSettings,
  type RefusedReason,
} from '../rules/refresh.ts';
import type { SignalPublisher } from '../signals/publisher.ts';
import { insertAudit, type Origin } from '../storage/audit.ts';
import type { Database, Transaction } from '../storage/database.ts';
import {
  advanceSession,
  endSession,
  readSessionState,
  readSubject,
  restartGrace,
  type TokenSubject,
} from '../storage/sessions.ts';
import type { TokenIssuer, TokenPair } from './issue.ts';

export interface RefreshRequest {
  readonly refreshToken: string;
  readonly idempotencyKey: string | undefined;
  /** The client that asks, as it proved to be: a session is refreshed only by the client that began it. */
  readonly clientId: string;
  readonly audience: string | undefined;
}

export interface Refreshed extends TokenPair {
  /** False when the caller keeps the refresh token it has: then no cookie is set. */
  readonly rotated: boolean;
}

export interface RefreshGrantOptions {
  readonly database: Database;
  readonly refreshKeys: RefreshKeyring;
  readonly issuer: TokenIssuer;
  readonly signals: SignalPublisher;
  readonly settings: RefreshSettings;
  /** Throws AuthError when this audience may not be asked for by this client. */
  readonly checkAudience: (clientId: string, audience: string) => Promise<void>;
  /** Throws AuthError `rate_limited` when this session refreshes too often. */
  readonly limit: (sessionId: string) => void;
  readonly onRace: () => void;
}

export type RefreshGrant = (request: RefreshRequest, origin: Origin) => Promise<Refreshed>;

type Outcome =
  | { readonly subject: TokenSubject; readonly rotated: boolean }
  | { readonly refused: RefusedReason };

const descriptions: Readonly<Record<RefusedReason, string>> = {
  ended: 'The session has ended.',
  idle: 'The session was not used for too long.',
  expired: 'The session has reached its greatest age.',
  disabled: 'The account cannot be used.',
  reuse: 'The refresh token was used before: the session has been ended for safety.',
  state_lost: 'The server does not know this session state any more: sign in again.',
  unknown: 'The refresh token is not valid.',
};

function refusal(reason: RefusedReason): AuthError {
  return new AuthError('invalid_grant', descriptions[reason], { reason });
}

export function createRefreshGrant(options: RefreshGrantOptions): RefreshGrant {
  const { database, settings } = options;

  async function end(
    tx: Transaction,
    sessionId: string,
    reason: 'reuse' | 'state_lost',
    origin: Origin,
  ): Promise<void> {
    const userId = await endSession(tx, sessionId, reason);
    if (userId === undefined) return;
    const action = reason === 'reuse' ? 'refresh_token_reuse' : 'session.state_lost';
    await insertAudit(
      tx,
      { ...origin, actor: userId },
      { action, target: sessionId, outcome: 'failure', reason },
    );
    await options.signals.mark(tx, { kind: 'revoke', by: 'sid', value: sessionId });
  }

  async function carryOut(
    tx: Transaction,
    decision: RefreshDecision,
    sessionId: string,
    presented: Presented,
    origin: Origin,
  ): Promise<Outcome> {
    switch (decision.kind) {
      case 'refuse':
        return { refused: decision.reason };
      case 'end':
        await end(tx, sessionId, decision.reason, origin);
        return { refused: decision.reason };
      case 'answer': {
        if (decision.how === 'race') options.onRace();
        if (decision.how === 'late') await restartGrace(tx, sessionId);
        const subject = await readSubject(tx, sessionId, settings.idle);
        if (subject === undefined) return { refused: 'ended' };
        return { subject, rotated: decision.generation !== presented.generation };
      }
      case 'advance':
        throw new AuthError('unavailable', 'The session is busy: try again.', { retryAfter: 1 });
    }
  }

  async function advance(
    tx: Transaction,
    content: RefreshTokenContent,
    presented: Presented,
  ): Promise<TokenSubject | undefined> {
    return await advanceSession(tx, {
      sessionId: content.sessionId,
      clientId: presented.clientId,
      generation: presented.generation,
      idempotencyHash: presented.idempotencyHash,
      minAge: 2 * settings.grace,
      idle: settings.idle,
    });
  }

  async function refreshIn(
    tx: Transaction,
    content: RefreshTokenContent,
    presented: Presented,
    origin: Origin,
  ): Promise<Outcome> {
    const subject = await advance(tx, content, presented);
    if (subject !== undefined) return { subject, rotated: true };
    const session = await readSessionState(tx, content.sessionId);
    const decision = decideRefresh(session, presented, settings);
    if (decision.kind !== 'advance')
      return await carryOut(tx, decision, content.sessionId, presented, origin);
    const again = await advance(tx, content, presented);
    return again === undefined
      ? await carryOut(tx, decision, content.sessionId, presented, origin)
      : { subject: again, rotated: true };
  }

  return async (request, origin) => {
    const content = openRefreshToken(request.refreshToken, options.refreshKeys.all);
    if (content === undefined) throw refusal('unknown');
    options.limit(content.sessionId);
    if (request.audience !== undefined) await options.checkAudience(request.clientId, request.audience);
    const presented = {
      clientId: request.clientId,
      generation: content.generation,
      idempotencyHash: hashKey(request.idempotencyKey),
    };
    const outcome = await database.write((tx) => refreshIn(tx, content, presented, origin));
    if ('refused' in outcome) throw refusal(outcome.refused);
    return { ...(await options.issuer.issue(outcome.subject, request.audience)), rotated: outcome.rotated };
  };
}

function hashKey(key: string | undefined): string | null {
  return key === undefined ? null : createHash('sha256').update(key).digest('base64url');
}
