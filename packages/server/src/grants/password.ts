// The sign-in: a username and a password become a session. The order is the defence: count the attempt, read `ver`
// together with the hash, hash (an unknown name costs the same), and insert the session only if nothing revoked the user
// meanwhile, so that a sign-in in flight does not outlive a ban.
import { randomBytes } from 'node:crypto';
import { AuthError } from '../errors.ts';
import { makeDeviceToken, openDeviceToken } from '../keys/device_token.ts';
import type { RefreshKeyring } from '../keys/refresh_keyring.ts';
import type { Hashing, PasswordHasher } from '../passwords/hasher.ts';
import { addressKey } from '../rules/addresses.ts';
import { foldLogin } from '../rules/names.ts';
import { maxPasswordLength, normalisePassword } from '../rules/passwords.ts';
import { insertAudit, type Origin } from '../storage/audit.ts';
import type { Database } from '../storage/database.ts';
import { insertSession, type TokenSubject } from '../storage/sessions.ts';
import { type Credentials, findCredentials, rehashPassword } from '../storage/users.ts';
import type { AttemptGuard, CheckedAttempt } from './attempts.ts';
import type { TokenIssuer, TokenPair } from './issue.ts';

export interface SignInRequest {
  readonly username: string;
  readonly password: string;
  readonly clientId: string;
  readonly audience: string;
  readonly device: string | undefined;
  readonly userAgent: string;
}

export interface SignedIn extends TokenPair {
  readonly device: string;
  readonly userId: string;
}

export interface PasswordGrantOptions {
  readonly database: Database;
  readonly hasher: PasswordHasher;
  readonly attempts: AttemptGuard;
  readonly issuer: TokenIssuer;
  readonly refreshKeys: RefreshKeyring;
  /** Milliseconds: a session's absolute age. */
  readonly sessionMax: number;
}

/** One answer for an unknown name, a wrong password and a disabled account (threat L01). */
export function wrongCredentials(): AuthError {
  return new AuthError('invalid_credentials', 'The username or password is not right.');
}

const wrongPassword = { matches: false, outdated: false };

export type PasswordGrant = (request: SignInRequest, origin: Origin) => Promise<SignedIn>;

export function createPasswordGrant(options: PasswordGrantOptions): PasswordGrant {
  const { database, hasher, refreshKeys } = options;

  /** The trail names the account, never what was typed: people type their password where their name belongs (threat O02). */
  async function reject(user: Credentials | undefined, origin: Origin): Promise<never> {
    await database.write((tx) =>
      insertAudit(tx, origin, {
        action: 'session.start',
        target: user?.id ?? 'unknown',
        outcome: 'failure',
        reason: 'invalid_credentials',
      }),
    );
    throw wrongCredentials();
  }

  function deviceOf(request: SignInRequest, user: Credentials | undefined): string | undefined {
    if (request.device === undefined || user === undefined) return undefined;
    return openDeviceToken(request.device, user.id, refreshKeys.all);
  }

  /** The session, or undefined when the user was disabled or revoked since the password was read. */
  async function begin(
    request: SignInRequest,
    user: Credentials,
    origin: Origin,
    giveBack: CheckedAttempt['giveBack'],
  ) {
    return await database.write(async (tx): Promise<TokenSubject | undefined> => {
      await giveBack(tx);
      const subject = await insertSession(tx, {
        id: randomBytes(16).toString('base64url'),
        userId: user.id,
        clientId: request.clientId,
        audience: request.audience,
        bornVer: user.ver,
        maxAge: options.sessionMax,
        ip: origin.ip,
        userAgent: request.userAgent.slice(0, 256),
      });
      if (subject !== undefined) {
        await insertAudit(
          tx,
          { ...origin, actor: user.id },
          { action: 'session.start', target: subject.sessionId, outcome: 'success' },
        );
      }
      return subject;
    });
  }

  async function improveHash(user: Credentials, password: string): Promise<void> {
    const hash = await hasher.hash(password);
    await database.write((tx) => rehashPassword(tx, user.id, user.passwordHash, hash));
  }

  async function signIn(hashing: Hashing, request: SignInRequest, origin: Origin): Promise<SignedIn> {
    const login = foldLogin(request.username);
    const password = normalisePassword(request.password);
    const user = login === '' ? undefined : await findCredentials(database, login);
    const device = deviceOf(request, user);
    // Too long to be anybody's: counted like every attempt, and not worth a hash.
    const tooLong = [...password].length > maxPasswordLength;
    const verified = await options.attempts.check(
      { login, address: addressKey(origin.ip), device },
      async () => (tooLong ? wrongPassword : await hashing.verify(user?.passwordHash, password)),
    );
    if (user === undefined || !verified.matches || user.disabled) return await reject(user, origin);
    const subject = await begin(request, user, origin, verified.giveBack);
    if (subject === undefined) return await reject(user, origin);
    // Not waited for, and may fail: the next sign-in tries again.
    if (verified.outdated) improveHash(user, password).catch(() => {});
    const pair = await options.issuer.issue(subject);
    // Made anew under today's key, so that a device in use stays known when old keys leave.
    return { ...pair, device: makeDeviceToken(user.id, refreshKeys.current, device), userId: user.id };
  }

  return (request, origin) => hasher.admit((hashing) => signIn(hashing, request, origin));
}
