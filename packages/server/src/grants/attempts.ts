// Every place that checks a password goes through here (threat L05): the attempt is counted atomically before anything is
// hashed. A right password gives its count back, and so does one that could not be checked. A refused attempt counts
// nowhere: otherwise one address, itself held back, could use up what an account may take from all others (threat L06).
import { AuthError } from '../errors.ts';
import type { VerifiedPassword } from '../passwords/hasher.ts';
import { type Attempt, type AttemptLimits, countersFor } from '../rules/attempts.ts';
import { countAttempt, giveBackAttempt } from '../storage/attempts.ts';
import type { Database, Transaction } from '../storage/database.ts';

export interface CheckedAttempt extends VerifiedPassword {
  /** Takes the attempt out of the counters, inside the transaction of what a right password leads to. */
  readonly giveBack: (tx: Transaction) => Promise<void>;
}

export interface AttemptGuard {
  /** Counts, then checks with `verify`. Throws AuthError `rate_limited` before checking, or what `verify` throws. */
  check(attempt: Attempt, verify: () => Promise<VerifiedPassword>): Promise<CheckedAttempt>;
}

export function createAttemptGuard(database: Database, limits: AttemptLimits): AttemptGuard {
  return {
    async check(attempt, verify) {
      const counters = countersFor(attempt, limits);
      await database.write(async (tx) => {
        let longest = 0;
        for (const { name, limit } of counters) {
          const { count, resetsIn } = await countAttempt(tx, name, limit.window);
          if (count > limit.max) longest = Math.max(longest, resetsIn);
        }
        // Thrown inside the transaction: nothing of this attempt stays counted.
        if (longest > 0) throw tooMany(longest);
      });
      const giveBack = async (tx: Transaction) => {
        for (const { name } of counters) await giveBackAttempt(tx, name);
      };
      try {
        return { ...(await verify()), giveBack };
      } catch (error) {
        // Not checked, because the queue is full or hashing failed: somebody else's flood must not use up this person's attempts.
        await database.write(giveBack);
        throw error;
      }
    },
  };
}

function tooMany(wait: number): AuthError {
  return new AuthError('rate_limited', 'Too many attempts: wait a moment.', {
    retryAfter: Math.ceil(wait / 1000),
  });
}
