// Every place that checks a password goes through here (threat L05): the attempt is counted atomically before anything is
// hashed, and a right password gives its count back.
import { AuthError } from '../errors.ts';
import { type Attempt, type AttemptLimits, countersFor } from '../rules/attempts.ts';
import { countAttempt, giveBackAttempt } from '../storage/attempts.ts';
import type { Database, Transaction } from '../storage/database.ts';

export interface AttemptGuard {
  /** Throws AuthError `rate_limited`. Answers how to give the count back, inside the transaction that follows. */
  count(attempt: Attempt): Promise<(tx: Transaction) => Promise<void>>;
}

export function createAttemptGuard(database: Database, limits: AttemptLimits): AttemptGuard {
  return {
    async count(attempt) {
      const counters = countersFor(attempt, limits);
      const wait = await database.write(async (tx) => {
        let longest = 0;
        for (const { name, limit } of counters) {
          const { count, resetsIn } = await countAttempt(tx, name, limit.window);
          if (count > limit.max) longest = Math.max(longest, resetsIn);
        }
        return longest;
      });
      if (wait > 0) {
        throw new AuthError('rate_limited', 'Too many attempts: wait a moment.', {
          retryAfter: Math.ceil(wait / 1000),
        });
      }
      return async (tx) => {
        for (const { name } of counters) await giveBackAttempt(tx, name);
      };
    },
  };
}
