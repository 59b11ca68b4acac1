// Self-registration. That a name is taken cannot be hidden from somebody who asks for it, since names are how people sign
// in; so asking is limited per address, answers cost the same, and an answer does not say whether it was the name or the
// e-mail address. A new user has no role.
import { AuthError } from '../errors.ts';
import { addressKey } from '../rules/addresses.ts';
import type { AttemptLimit } from '../rules/attempts.ts';
import { countAttempt } from '../storage/attempts.ts';
import { insertAudit, type Origin } from '../storage/audit.ts';
import type { Database } from '../storage/database.ts';
import { findUser, insertUser, type User } from '../storage/users.ts';
import type { HashNewPassword } from './new_password.ts';
import { requireEmail, requireName, writeUnique } from './user_admin.ts';
import { newUserId } from './user_ids.ts';

export interface RegistrationRequest {
  readonly username: string;
  readonly password: string;
  readonly email?: string | undefined;
}

/** Throws AuthError `rate_limited`, `weak_password`, `invalid_request`, `conflict`. */
export type Register = (request: RegistrationRequest, origin: Origin) => Promise<User>;

export interface RegistrationOptions {
  readonly database: Database;
  readonly setPassword: HashNewPassword;
  /** Per address; every attempt counts, also one that succeeds. */
  readonly limit: AttemptLimit;
}

export function createRegistration({ database, setPassword, limit }: RegistrationOptions): Register {
  async function countIn(origin: Origin): Promise<void> {
    const name = `register ${addressKey(origin.ip)}`;
    const { count, resetsIn } = await database.write((tx) => countAttempt(tx, name, limit.window));
    if (count > limit.max) {
      throw new AuthError('rate_limited', 'Too many registrations from here: wait a moment.', {
        retryAfter: Math.ceil(resetsIn / 1000),
      });
    }
  }

  return async (request, origin) => {
    const username = requireName(request.username, 'username');
    const email = request.email === undefined ? null : requireEmail(request.email);
    await countIn(origin);
    const passwordHash = await setPassword(request.password, [username, email ?? '']);
    return await writeUnique(database, async (tx) => {
      const id = newUserId();
      await insertUser(tx, { id, username, email, passwordHash, roles: [] });
      await insertAudit(
        tx,
        { ...origin, actor: id },
        { action: 'user.register', target: id, outcome: 'success' },
      );
      const user = await findUser(tx, id);
      if (user === undefined) throw new Error('the new user is missing');
      return user;
    });
  };
}
