// What the one who changes something may do, judged inside the very transaction of the change: an administrator who was
// demoted while the request was on its way changes nothing any more, and of two who demote one another one remains
// (threats A03, A04).
import { TokenError } from '@latchkey/core';
import { AuthError } from '../errors.ts';
import { type AdminPermission, isAdministrator, notHeld, permissionsOf } from '../rules/permissions.ts';
import type { Transaction } from '../storage/database.ts';
import { type Role, readRoleTable, rolesOfHolders } from '../storage/roles.ts';
import { findUser } from '../storage/users.ts';

/** Who changes: a user with administrative permissions, or the operator at the local socket, who may everything. */
export type Administrator =
  | { readonly kind: 'operator' }
  | { readonly kind: 'user'; readonly userId: string };

export interface Authority {
  readonly roles: ReadonlyMap<string, Role>;
  /** Throws AuthError `access_denied` when one of these is administrative and the caller lacks it. */
  mustHold(permissions: Iterable<string>): void;
}

async function rolesIn(tx: Transaction): Promise<Map<string, Role>> {
  const { roles } = await readRoleTable(tx);
  return new Map(roles.map((role) => [role.name, role]));
}

/** Throws TokenError `insufficient_scope` when the caller does not hold all of `needed` at this moment. */
export async function authorityIn(
  tx: Transaction,
  caller: Administrator,
  ...needed: readonly AdminPermission[]
): Promise<Authority> {
  const roles = await rolesIn(tx);
  if (caller.kind === 'operator') return { roles, mustHold() {} };
  const user = await findUser(tx, caller.userId);
  const held = user === undefined || user.disabled ? new Set<string>() : permissionsOf(user.roles, roles);
  if (!needed.every((permission) => held.has(permission)))
    throw new TokenError('insufficient_scope', 'the permission is missing');
  return {
    roles,
    mustHold(permissions) {
      if (notHeld(permissions, held).length > 0) {
        throw new AuthError(
          'access_denied',
          'This touches an administrative permission that you do not hold.',
          {
            reason: 'not_held',
          },
        );
      }
    },
  };
}

async function countAdministrators(tx: Transaction): Promise<number> {
  const roles = await rolesIn(tx);
  // Whoever holds everything holds this one: few roles, and so few users, have to be looked at.
  const candidates = [...roles.values()]
    .filter((role) => role.permissions.includes('latchkey:roles:write'))
    .map((role) => role.name);
  const holders = await rolesOfHolders(tx, candidates);
  return holders.filter((held) => isAdministrator(permissionsOf(held, roles))).length;
}

/** Does `work`, and throws AuthError `conflict` when it would leave no enabled administrator where there was one. */
export async function keepingAnAdministrator<T>(tx: Transaction, work: () => Promise<T>): Promise<T> {
  const before = await countAdministrators(tx);
  const result = await work();
  if (before > 0 && (await countAdministrators(tx)) === 0) {
    throw new AuthError('conflict', 'The last administrator must stay: make another one first.', {
      reason: 'last_administrator',
    });
  }
  return result;
}
