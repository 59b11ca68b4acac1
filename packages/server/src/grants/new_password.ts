// Setting a password: the rules, the offline list, the hash; and the change of one's own, which ends every other session
// and gives this one a new pair of tokens.
import { AuthError } from '../errors.ts';
import { commonPasswords, longestCommonPassword } from '../passwords/common.ts';
import type { PasswordHasher } from '../passwords/hasher.ts';
import { addressKey } from '../rules/addresses.ts';
import { needsCommonList, normalisePassword, passwordFault } from '../rules/passwords.ts';
import type { SignalPublisher } from '../signals/publisher.ts';
import { insertAudit, type Origin } from '../storage/audit.ts';
import type { Database, Transaction } from '../storage/database.ts';
import { endSessionsOfUser, renewSession } from '../storage/sessions.ts';
import { findCredentialsById, replacePassword } from '../storage/users.ts';
import type { AttemptGuard } from './attempts.ts';
import type { TokenIssuer, TokenPair } from './issue.ts';
import { wrongCredentials } from './password.ts';

export interface NewPasswordOptions {
  readonly hasher: PasswordHasher;
  /** Code points. */
  readonly minLength: number;
}

/** Checks a password that somebody wants to set and hashes it. Throws AuthError `weak_password` with the reason in words. */
export type HashNewPassword = (password: string, names: readonly string[]) => Promise<string>;

export function createPasswordSetter(options: NewPasswordOptions): HashNewPassword {
  return async (password, names) => {
    const normalised = normalisePassword(password);
    const context = ['latchkey', ...names.flatMap((name) => name.split('@'))];
    const common = needsCommonList(normalised, longestCommonPassword)
      ? await commonPasswords()
      : new Set<string>();
    const fault = passwordFault(normalised, { minLength: options.minLength, common, context });
    if (fault !== undefined) throw new AuthError('weak_password', fault);
    return await options.hasher.hash(normalised);
  };
}

export interface ChangePasswordRequest {
  readonly userId: string;
  readonly sessionId: string;
  readonly username: string;
  readonly currentPassword: string;
  readonly newPassword: string;
}

export interface ChangePasswordOptions {
  readonly database: Database;
  readonly hasher: PasswordHasher;
  readonly attempts: AttemptGuard;
  readonly setPassword: HashNewPassword;
  readonly issuer: TokenIssuer;
  readonly signals: SignalPublisher;
}

export type ChangePassword = (request: ChangePasswordRequest, origin: Origin) => Promise<TokenPair>;

export function createPasswordChange(options: ChangePasswordOptions): ChangePassword {
  const { database, hasher, signals } = options;

  async function replace(
    tx: Transaction,
    request: ChangePasswordRequest,
    oldHash: string,
    newHash: string,
    origin: Origin,
  ) {
    const ver = await replacePassword(tx, request.userId, oldHash, newHash);
    // Somebody else changed it, or disabled the account, while we hashed.
    if (ver === undefined) throw wrongCredentials();
    await endSessionsOfUser(tx, request.userId, 'password_changed', request.sessionId);
    const subject = await renewSession(tx, request.sessionId, ver);
    if (subject === undefined)
      throw new AuthError('invalid_grant', 'The session has ended.', { reason: 'ended' });
    await insertAudit(tx, origin, { action: 'user.password', target: request.userId, outcome: 'success' });
    const mark = { kind: 'revoke', by: 'sub', value: request.userId, below: ver } as const;
    await signals.mark(tx, { ...mark, cause: 'password_changed' });
    return subject;
  }

  return async (request, origin) => {
    const user = await findCredentialsById(database, request.userId);
    if (user === undefined) throw wrongCredentials();
    const verified = await options.attempts.check(
      { login: user.username, address: addressKey(origin.ip) },
      () => hasher.verify(user.passwordHash, normalisePassword(request.currentPassword)),
    );
    if (!verified.matches) throw wrongCredentials();
    await database.write(verified.giveBack);
    const newHash = await options.setPassword(request.newPassword, [user.username]);
    const subject = await database.write((tx) => replace(tx, request, user.passwordHash, newHash, origin));
    return await options.issuer.issue(subject);
  };
}
