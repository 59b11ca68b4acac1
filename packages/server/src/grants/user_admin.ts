// What an administrator does to a user. Each change, its audit row and its signal are one transaction; nobody touches a
// user who holds an administrative permission that they lack (threat A03).
import { AuthError } from '../errors.ts';
import { foldEmail, foldName } from '../rules/names.ts';
import { describeChange, fitToken, permissionsOf } from '../rules/permissions.ts';
import type { SignalPublisher } from '../signals/publisher.ts';
import { insertAudit, type Origin } from '../storage/audit.ts';
import { type Database, type Transaction, UniqueViolation } from '../storage/database.ts';
import { endSessionsOfUser } from '../storage/sessions.ts';
import {
  deleteUser,
  findUser,
  insertUser,
  overwritePassword,
  raiseVersion,
  replaceRoles,
  revokeBelow,
  type User,
  type UserChanges,
  updateUser,
} from '../storage/users.ts';
import { type Administrator, type Authority, authorityIn, keepingAnAdministrator } from './authority.ts';
import type { HashNewPassword } from './new_password.ts';
import type { SessionEnder } from './sessions.ts';
import { newUserId } from './user_ids.ts';

export interface NewUserRequest {
  readonly username: string;
  readonly password: string;
  readonly email?: string | undefined;
  readonly roles: readonly string[];
}

export interface UserAdminOptions {
  readonly database: Database;
  readonly signals: SignalPublisher;
  readonly sessions: SessionEnder;
  readonly setPassword: HashNewPassword;
}

/** Every method throws AuthError: `not_found`, `conflict`, `invalid_request`, `access_denied`. */
export interface UserAdmin {
  create(request: NewUserRequest, by: Administrator, origin: Origin): Promise<User>;
  /** Disabling ends every session at once; they stay dead when the user is enabled again. */
  update(userId: string, changes: UserChanges, by: Administrator, origin: Origin): Promise<User>;
  /** Running tokens become stale: they are refreshed with the new roles. */
  setRoles(userId: string, roles: readonly string[], by: Administrator, origin: Origin): Promise<User>;
  /** Ends every session of the user. */
  setPassword(userId: string, password: string, by: Administrator, origin: Origin): Promise<void>;
  remove(userId: string, by: Administrator, origin: Origin): Promise<void>;
}

/** Throws AuthError `invalid_request`. */
export function requireName(text: string, what: string): string {
  const folded = foldName(text);
  if (folded === undefined) {
    throw new AuthError(
      'invalid_request',
      `The ${what} must have 1 to 64 characters of a-z 0-9 . _ : - and begin with a letter or digit.`,
    );
  }
  return folded;
}

/** Throws AuthError `invalid_request`. */
export function requireEmail(text: string): string {
  const folded = foldEmail(text);
  if (folded === undefined) throw new AuthError('invalid_request', 'The e-mail address is not valid.');
  return folded;
}

/** Runs the write; a name or address that is taken becomes `conflict`. */
export async function writeUnique<T>(
  database: Database,
  work: (tx: Transaction) => Promise<T>,
  description = 'The username or e-mail address is in use.',
): Promise<T> {
  try {
    return await database.write(work);
  } catch (error) {
    if (error instanceof UniqueViolation) throw new AuthError('conflict', description);
    throw error;
  }
}

async function existing(tx: Transaction, userId: string): Promise<User> {
  const user = await findUser(tx, userId);
  if (user === undefined) throw new AuthError('not_found', 'There is no such user.');
  return user;
}

/** The user, when the caller holds every administrative permission that the user does. */
async function withinReach(tx: Transaction, userId: string, authority: Authority): Promise<User> {
  const user = await existing(tx, userId);
  authority.mustHold(permissionsOf(user.roles, authority.roles));
  return user;
}

function requireRoles(names: readonly string[], authority: Authority): string[] {
  const roles = [...new Set(names.map((name) => requireName(name, 'name of a role')))].sort();
  const unknown = roles.find((role) => !authority.roles.has(role));
  if (unknown !== undefined) throw new AuthError('invalid_request', `There is no role ${unknown}.`);
  if (!fitToken(roles, authority.roles))
    throw new AuthError('invalid_request', 'These roles give more permissions than a token can carry.');
  authority.mustHold(permissionsOf(roles, authority.roles));
  return roles;
}

export function createUserAdmin(options: UserAdminOptions): UserAdmin {
  const { database, signals, sessions } = options;

  async function applyUpdate(
    tx: Transaction,
    user: User,
    changes: UserChanges,
    origin: Origin,
  ): Promise<void> {
    const target = user.id;
    const renamed = changes.username !== undefined && changes.username !== user.username;
    const moved = changes.email !== undefined && changes.email !== user.email;
    const switched = changes.disabled !== undefined && changes.disabled !== user.disabled;
    if (!renamed && !moved && !switched) return;
    await keepingAnAdministrator(tx, () => updateUser(tx, target, changes));
    if (renamed || moved)
      await insertAudit(tx, origin, { action: 'user.update', target, outcome: 'success' });
    if (switched) {
      const action = changes.disabled ? 'user.disable' : 'user.enable';
      await insertAudit(tx, origin, { action, target, outcome: 'success' });
    }
    if (switched && changes.disabled) {
      await sessions.endAllIn(tx, target, 'disabled');
    } else if (renamed) {
      // Tokens carry the name: they are to be refreshed.
      const below = await raiseVersion(tx, target);
      const mark = { kind: 'stale', by: 'sub', value: target, cause: 'username' } as const;
      if (below !== undefined) await signals.mark(tx, { ...mark, below });
    }
  }

  return {
    async create(request, by, origin) {
      const username = requireName(request.username, 'username');
      const email = request.email === undefined ? null : requireEmail(request.email);
      const passwordHash = await options.setPassword(request.password, [username, email ?? '']);
      return await writeUnique(database, async (tx) => {
        const withRoles = request.roles.length > 0 ? (['latchkey:roles:write'] as const) : [];
        const authority = await authorityIn(tx, by, 'latchkey:users:write', ...withRoles);
        const id = newUserId();
        const roles = requireRoles(request.roles, authority);
        await insertUser(tx, { id, username, email, passwordHash, roles });
        await insertAudit(tx, origin, { action: 'user.create', target: id, outcome: 'success' });
        return await existing(tx, id);
      });
    },

    async update(userId, changes, by, origin) {
      const { username, email, disabled } = changes;
      const folded = {
        ...(username === undefined ? {} : { username: requireName(username, 'username') }),
        ...(email === undefined ? {} : { email: email === null ? null : requireEmail(email) }),
        ...(disabled === undefined ? {} : { disabled }),
      };
      return await writeUnique(database, async (tx) => {
        const authority = await authorityIn(tx, by, 'latchkey:users:write');
        const user = await withinReach(tx, userId, authority);
        await applyUpdate(tx, user, folded, origin);
        return await existing(tx, userId);
      });
    },

    async setRoles(userId, names, by, origin) {
      return await database.write(async (tx) => {
        const authority = await authorityIn(tx, by, 'latchkey:roles:write');
        const user = await withinReach(tx, userId, authority);
        const roles = requireRoles(names, authority);
        const reason = describeChange(user.roles, roles);
        if (reason === undefined) return user;
        const below = await keepingAnAdministrator(tx, () => replaceRoles(tx, userId, roles));
        await insertAudit(tx, origin, { action: 'user.roles', target: userId, outcome: 'success', reason });
        const changed = await existing(tx, userId);
        const mark = { kind: 'stale', by: 'sub', value: userId, cause: 'roles' } as const;
        if (below !== undefined) await signals.mark(tx, { ...mark, below });
        return changed;
      });
    },

    async setPassword(userId, password, by, origin) {
      const user = await findUser(database, userId);
      if (user === undefined) throw new AuthError('not_found', 'There is no such user.');
      const hash = await options.setPassword(password, [user.username, user.email ?? '']);
      await database.write(async (tx) => {
        await withinReach(tx, userId, await authorityIn(tx, by, 'latchkey:users:write'));
        const below = await overwritePassword(tx, userId, hash);
        if (below === undefined) return;
        await endSessionsOfUser(tx, userId, 'password_changed');
        const reason = 'by_administrator';
        await insertAudit(tx, origin, {
          action: 'user.password',
          target: userId,
          outcome: 'success',
          reason,
        });
        const mark = { kind: 'revoke', by: 'sub', value: userId, below } as const;
        await signals.mark(tx, { ...mark, cause: 'password_set' });
      });
    },

    async remove(userId, by, origin) {
      await database.write(async (tx) => {
        await withinReach(tx, userId, await authorityIn(tx, by, 'latchkey:users:write'));
        const below = await revokeBelow(tx, userId);
        await endSessionsOfUser(tx, userId, 'deleted');
        await keepingAnAdministrator(tx, () => deleteUser(tx, userId));
        await insertAudit(tx, origin, { action: 'user.delete', target: userId, outcome: 'success' });
        const mark = { kind: 'revoke', by: 'sub', value: userId, cause: 'deleted' } as const;
        if (below !== undefined) await signals.mark(tx, { ...mark, below });
      });
    },
  };
}
