// Who may do what. Permissions that begin with `latchkey:` open the administration of this server: they appear only in
// tokens whose audience is the issuer, and nobody grants one that they lack (threat A03). All others belong to
// applications.
import type { Role } from '../storage/roles.ts';

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
