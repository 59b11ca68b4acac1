// Ending sessions: whoever asks (the person, an administrator, the reuse of a token), the change, its audit row and its
// signal are one transaction, so that what was acknowledged reaches every verifier.
import { AuthError } from '../errors.ts';
import type { SignalPublisher } from '../signals/publisher.ts';
import { insertAudit, type Origin } from '../storage/audit.ts';
import type { Database, Transaction } from '../storage/database.ts';
import { endSession, endSessionsOfUser } from '../storage/sessions.ts';
import { revokeBelow } from '../storage/users.ts';

export interface SessionEnder {
  /** Ends one session; answers false when it had ended already or is not there. `ofUser`: only if it is this user's. */
  end(sessionId: string, reason: string, origin: Origin, ofUser?: string): Promise<boolean>;
  /** Ends every session of a user and kills every token issued until now. */
  endAll(userId: string, reason: string, origin: Origin): Promise<void>;
  /** The same, inside a transaction that changes more. Answers the new `ver`. */
  endAllIn(tx: Transaction, userId: string, reason: string): Promise<number | undefined>;
}

export function createSessionEnder(database: Database, signals: SignalPublisher): SessionEnder {
  async function endAllIn(tx: Transaction, userId: string, reason: string): Promise<number | undefined> {
    const ver = await revokeBelow(tx, userId);
    if (ver === undefined) return undefined;
    await endSessionsOfUser(tx, userId, reason);
    await signals.mark(tx, { kind: 'revoke', by: 'sub', value: userId, below: ver, cause: reason });
    return ver;
  }

  return {
    async end(sessionId, reason, origin, ofUser) {
      return await database.write(async (tx) => {
        const userId = await endSession(tx, sessionId, reason);
        if (userId === undefined) return false;
        // Thrown inside the transaction, so that another's session stays as it was.
        if (ofUser !== undefined && userId !== ofUser)
          throw new AuthError('not_found', 'There is no such session.');
        await insertAudit(tx, origin, {
          action: 'session.end',
          target: sessionId,
          outcome: 'success',
          reason,
        });
        await signals.mark(tx, { kind: 'revoke', by: 'sid', value: sessionId });
        return true;
      });
    },
    async endAll(userId, reason, origin) {
      await database.write(async (tx) => {
        if ((await endAllIn(tx, userId, reason)) === undefined)
          throw new AuthError('not_found', 'There is no such user.');
        await insertAudit(tx, origin, {
          action: 'session.end_all',
          target: userId,
          outcome: 'success',
          reason,
        });
      });
    },
    endAllIn,
  };
}
