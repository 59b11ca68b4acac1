// Who may do what. Permissions that begin with `latchkey:` open the administration of this server: they appear only in
// tokens whose audience is the issuer, and nobody grants one that they lack (threat A03). All others belong to
// applications.
import type { Role } from '../storage/roles.ts';
import { foldName } from './names.ts';

export const adminPermissions = [
  'latchkey:users:read',
  'latchkey:users:write',
  'latchkey:roles:read',
  'latchkey:roles:write',
  'latchkey:sessions:read',
  'latchkey:sessions:write',
  'latchkey:keys:read',
  'latchkey:keys:write',
  'latchkey:clients:read',
  'latchkey:clients:write',
  'latchkey:verifiers:read',
  'latchkey:audit:read',
] as const;

export type AdminPermission = (typeof adminPermissions)[number];

/** The role made at the first start: every administrative permission. */
export const administratorRole = 'administrator';

export function isAdminPermission(permission: string): boolean {
  return permission.startsWith('latchkey:');
}

/** Every permission that the named roles give; a role that is not in the table gives nothing. */
export function permissionsOf(roles: readonly string[], table: ReadonlyMap<string, Role>): Set<string> {
  return new Set(roles.flatMap((name) => table.get(name)?.permissions ?? []));
}

/** The `scope` of a token: administrative permissions for the issuer itself, all others for applications. */
export function scopeFor(permissions: ReadonlySet<string>, audienceIsIssuer: boolean): string {
  return [...permissions]
    .filter((permission) => isAdminPermission(permission) === audienceIsIssuer)
    .sort()
    .join(' ');
}

/** The administrative permissions among `granted` that the granter does not hold. */
export function notHeld(granted: Iterable<string>, held: ReadonlySet<string>): string[] {
  return [...granted].filter((permission) => isAdminPermission(permission) && !held.has(permission));
}

/**
 * An administrator in full: holds every administrative permission, and so can give any of them to anybody. While there is
 * one, nothing is out of reach; so the last enabled one must stay.
 */
export function isAdministrator(permissions: ReadonlySet<string>): boolean {
  return adminPermissions.every((permission) => permissions.has(permission));
}

/** The canonical form of a permission that a role may hold; undefined where the form or an administrative name is unknown. */
export function foldPermission(text: string): string | undefined {
  const folded = foldName(text);
  if (folded === undefined || !isAdminPermission(folded)) return folded;
  return (adminPermissions as readonly string[]).includes(folded) ? folded : undefined;
}

/** Characters that a token of at most 8 KiB has for roles and scope, beside 2 KiB of an application's own claims. */
const roomInToken = 3000;

/** Whether a token for these roles stays within the size that verifiers accept. */
export function fitToken(roles: readonly string[], table: ReadonlyMap<string, Role>): boolean {
  const permissions = permissionsOf(roles, table);
  return [true, false].every(
    (forIssuer) => roles.join('","').length + scopeFor(permissions, forIssuer).length <= roomInToken,
  );
}

/** `+gained -lost`, for the audit trail; undefined when the lists hold the same. */
export function describeChange(before: readonly string[], after: readonly string[]): string | undefined {
  const gained = after.filter((name) => !before.includes(name)).map((name) => `+${name}`);
  const lost = before.filter((name) => !after.includes(name)).map((name) => `-${name}`);
  const text = [...gained, ...lost].join(' ');
  return text === '' ? undefined : text.length <= 400 ? text : `${text.slice(0, 397)}...`;
}
