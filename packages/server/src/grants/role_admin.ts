// What an administrator does to the role table. A role that lost a permission makes the tokens of its holders stale; one
// that only gained some makes no mark unless asked, so that a million holders do not refresh at once. Nobody moves an
// administrative permission that they lack, neither into a role nor out of one (threat A03).
import { AuthError } from '../errors.ts';
import { describeChange, fitToken, foldPermission } from '../rules/permissions.ts';
import type { SignalPublisher } from '../signals/publisher.ts';
import { insertAudit, type Origin } from '../storage/audit.ts';
import type { Database, Transaction } from '../storage/database.ts';
import {
  combinationsWith,
  deleteRole,
  findRole,
  insertRole,
  type Role,
  updateRole,
} from '../storage/roles.ts';
import { type Administrator, authorityIn, keepingAnAdministrator } from './authority.ts';
import { requireName, writeUnique } from './user_admin.ts';

export interface RoleChanges {
  readonly permissions?: readonly string[] | undefined;
  /** Null takes it away. */
  readonly description?: string | null | undefined;
}

export interface RoleAdmin {
  create(request: { readonly name: string } & RoleChanges, by: Administrator, origin: Origin): Promise<Role>;
  /** `refresh`: holders' tokens become stale even when the role only gained permissions. */
  update(
    name: string,
    changes: RoleChanges & { readonly refresh: boolean },
    by: Administrator,
    origin: Origin,
  ): Promise<Role>;
  /** Takes the role from everybody who holds it. */
  remove(name: string, by: Administrator, origin: Origin): Promise<void>;
}

/** Characters of all permissions of one role, so that several roles fit into one token. */
const maxPermissionText = 2000;

function requirePermissions(texts: readonly string[]): string[] {
  const permissions = texts.map((text) => {
    const folded = foldPermission(text);
    if (folded === undefined) {
      throw new AuthError(
        'invalid_request',
        'A permission must have 1 to 64 characters of a-z 0-9 . _ : -; of those that begin with latchkey: only the known ones exist.',
      );
    }
    return folded;
  });
  if (permissions.join(' ').length > maxPermissionText)
    throw new AuthError('invalid_request', `The permissions have more than ${maxPermissionText} characters.`);
  return [...new Set(permissions)].sort();
}

async function existing(tx: Transaction, name: string): Promise<Role> {
  const role = await findRole(tx, name);
  if (role === undefined) throw new AuthError('not_found', 'There is no such role.');
  return role;
}

/** What is in one list and not in both. */
function moved(before: readonly string[], after: readonly string[]): string[] {
  return [...before, ...after].filter((name) => before.includes(name) !== after.includes(name));
}

/** A role that grows must not make anybody's token larger than verifiers accept: they could not sign in any more. */
async function mustFit(tx: Transaction, table: ReadonlyMap<string, Role>, name: string): Promise<void> {
  if (fitToken([...table.keys()], table)) return;
  const combinations = await combinationsWith(tx, name);
  if (combinations.some((roles) => !fitToken(roles, table))) {
    throw new AuthError(
      'invalid_request',
      'Together with their other roles, somebody who holds this one would have more permissions than a token can carry.',
    );
  }
}

export function createRoleAdmin(database: Database, signals: SignalPublisher): RoleAdmin {
  return {
    async create(request, by, origin) {
      const role = {
        name: requireName(request.name, 'name of a role'),
        permissions: requirePermissions(request.permissions ?? []),
        description: request.description ?? null,
      };
      const work = async (tx: Transaction) => {
        (await authorityIn(tx, by, 'latchkey:roles:write')).mustHold(role.permissions);
        await insertRole(tx, role);
        const reason = describeChange([], role.permissions);
        await insertAudit(tx, origin, {
          action: 'role.create',
          target: role.name,
          outcome: 'success',
          ...(reason === undefined ? {} : { reason }),
        });
        return role;
      };
      return await writeUnique(database, work, 'A role of this name exists.');
    },

    async update(name, { refresh, ...changes }, by, origin) {
      const permissions = changes.permissions && requirePermissions(changes.permissions);
      return await database.write(async (tx) => {
        const authority = await authorityIn(tx, by, 'latchkey:roles:write');
        const before = await existing(tx, name);
        const after = {
          ...before,
          permissions: permissions ?? before.permissions,
          description: changes.description === undefined ? before.description : changes.description,
        };
        authority.mustHold(moved(before.permissions, after.permissions));
        const reason = describeChange(before.permissions, after.permissions);
        if (reason === undefined && before.description === after.description && !refresh) return before;
        await mustFit(tx, new Map(authority.roles).set(name, after), name);
        const below = await keepingAnAdministrator(tx, () => updateRole(tx, after));
        await insertAudit(tx, origin, {
          action: 'role.update',
          target: name,
          outcome: 'success',
          ...(reason === undefined ? {} : { reason }),
        });
        const lost = before.permissions.some((permission) => !after.permissions.includes(permission));
        if ((lost || refresh) && below !== undefined)
          await signals.mark(tx, { kind: 'stale', by: 'role', value: name, below });
        return after;
      });
    },

    async remove(name, by, origin) {
      await database.write(async (tx) => {
        const authority = await authorityIn(tx, by, 'latchkey:roles:write');
        authority.mustHold((await existing(tx, name)).permissions);
        const below = await keepingAnAdministrator(tx, () => deleteRole(tx, name));
        await insertAudit(tx, origin, { action: 'role.delete', target: name, outcome: 'success' });
        if (below !== undefined) await signals.mark(tx, { kind: 'stale', by: 'role', value: name, below });
      });
    },
  };
}
