// The first start: the administrator's role and the first administrator. There is no default password: one is given, or
// one is made at random and shown once (threat L10).
import { randomBytes } from 'node:crypto';
import type { PasswordHasher } from '../passwords/hasher.ts';
import { foldName } from '../rules/names.ts';
import { normalisePassword } from '../rules/passwords.ts';
import { administratorRole, adminPermissions, describeChange } from '../rules/permissions.ts';
import { insertAudit, type Origin } from '../storage/audit.ts';
import type { Database } from '../storage/database.ts';
import { readMeta, writeMeta } from '../storage/meta.ts';
import { findRole, insertRole, updateRole } from '../storage/roles.ts';
import { countUsers, insertUser } from '../storage/users.ts';
import type { HashNewPassword } from './new_password.ts';
import { newUserId } from './user_ids.ts';

export interface FirstAdmin {
  readonly username: string;
  /** Only when it was made here: shown once, stored nowhere. */
  readonly password: string;
}

export interface FirstStartOptions {
  readonly database: Database;
  readonly hasher: PasswordHasher;
  readonly setPassword: HashNewPassword;
  readonly admin: { readonly username: string; readonly password: string | undefined };
}

/** Answers the administrator whose password was made at random; undefined otherwise. */
export async function prepareFirstStart(
  options: FirstStartOptions,
  origin: Origin,
): Promise<FirstAdmin | undefined> {
  const { database, admin } = options;
  await ensureAdministratorRole(database, origin);
  if ((await countUsers(database)) > 0) return undefined;
  const username = foldName(admin.username);
  if (username === undefined) throw new TypeError('admin.username is not a valid name');
  const password = admin.password ?? randomBytes(18).toString('base64url');
  const passwordHash =
    admin.password === undefined
      ? await options.hasher.hash(normalisePassword(password))
      : await options.setPassword(password, [username]);
  const made = await database.write(async (tx) => {
    if ((await countUsers(tx)) > 0) return false;
    const id = newUserId();
    await insertUser(tx, { id, username, email: null, passwordHash, roles: [administratorRole] });
    await insertAudit(tx, origin, {
      action: 'user.create',
      target: id,
      outcome: 'success',
      reason: 'first_start',
    });
    return true;
  });
  return made && admin.password === undefined ? { username, password } : undefined;
}

/**
 * The role begins with every administrative permission, and is given those that a newer version brings, once. What was taken
 * out of it stays out: a restart gives nobody what an administrator took away.
 */
async function ensureAdministratorRole(database: Database, origin: Origin): Promise<void> {
  await database.write(async (tx) => {
    const known = (await readMeta(tx, 'admin_permissions'))?.split(' ') ?? [];
    const brought = adminPermissions.filter((permission) => !known.includes(permission));
    const existing = await findRole(tx, administratorRole);
    if (existing === undefined) {
      const description = 'May administer everything';
      await insertRole(tx, { name: administratorRole, permissions: [...adminPermissions], description });
    } else if (brought.length > 0) {
      const permissions = [...new Set([...existing.permissions, ...brought])].sort();
      await updateRole(tx, { ...existing, permissions });
      const reason = describeChange(existing.permissions, permissions);
      if (reason !== undefined)
        await insertAudit(tx, origin, {
          action: 'role.update',
          target: administratorRole,
          outcome: 'success',
          reason,
        });
    }
    if (brought.length > 0) await writeMeta(tx, 'admin_permissions', adminPermissions.join(' '));
  });
}
