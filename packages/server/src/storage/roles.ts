// Roles: a name and the permissions it gives. Every change raises `rver`, the version of the whole table, which tokens
// carry; permissions of a token are those of exactly that version.
import type { Queries, Transaction } from './database.ts';
import { splitNames } from './users.ts';

export interface Role {
  readonly name: string;
  readonly permissions: readonly string[];
  readonly description: string | null;
}

interface RoleRow {
  name: string;
  permissions: string;
  description: string | null;
}

function roleOf(row: RoleRow): Role {
  return { name: row.name, permissions: splitNames(row.permissions), description: row.description };
}

/** The whole table and its version, from one statement. */
export async function readRoleTable(queries: Queries): Promise<{ rver: number; roles: Role[] }> {
  const rows = await queries.all<RoleRow & { rver: number }>(
    `SELECT counters.value AS rver, name_or_none AS name, permissions, description FROM counters
     LEFT JOIN (SELECT name AS name_or_none, permissions, description FROM roles) ON 1 = 1 WHERE counters.name = 'rver'`,
  );
  return { rver: rows[0]?.rver ?? 1, roles: rows.filter((row) => row.name !== null).map(roleOf) };
}

export async function findRole(queries: Queries, name: string): Promise<Role | undefined> {
  const row = await queries.one<RoleRow>(
    'SELECT name, permissions, description FROM roles WHERE name = ?',
    name,
  );
  return row && roleOf(row);
}

export async function listRoles(queries: Queries, after: string, limit: number): Promise<Role[]> {
  const rows = await queries.all<RoleRow>(
    'SELECT name, permissions, description FROM roles WHERE name > ? ORDER BY name LIMIT ?',
    after,
    limit,
  );
  return rows.map(roleOf);
}

/** Throws UniqueViolation. Answers the new `rver`. */
export async function insertRole(tx: Transaction, role: Role): Promise<number> {
  await tx.run(
    'INSERT INTO roles (name, permissions, description, created_at) VALUES (?, ?, ?, now_ms())',
    role.name,
    role.permissions.join(' '),
    role.description,
  );
  return await raiseRoleVersion(tx);
}

/** Answers the new `rver`, or undefined when there is no such role. */
export async function updateRole(tx: Transaction, role: Role): Promise<number | undefined> {
  const changed = await tx.run(
    'UPDATE roles SET permissions = ?, description = ? WHERE name = ?',
    role.permissions.join(' '),
    role.description,
    role.name,
  );
  return changed === 1 ? await raiseRoleVersion(tx) : undefined;
}

/** The role and every assignment of it go; answers the new `rver`, or undefined when there is no such role. */
export async function deleteRole(tx: Transaction, name: string): Promise<number | undefined> {
  await tx.run('DELETE FROM user_roles WHERE role = ?', name);
  const deleted = await tx.run('DELETE FROM roles WHERE name = ?', name);
  return deleted === 1 ? await raiseRoleVersion(tx) : undefined;
}

async function raiseRoleVersion(tx: Transaction): Promise<number> {
  const row = await tx.one<{ value: number }>(
    "UPDATE counters SET value = value + 1 WHERE name = 'rver' RETURNING value",
  );
  return row?.value ?? 1;
}

/** The roles of every enabled user who holds at least one of `roles`. */
export async function rolesOfHolders(queries: Queries, roles: readonly string[]): Promise<string[][]> {
  if (roles.length === 0) return [];
  const rows = await queries.all<{ roles: string }>(
    `SELECT (SELECT string_agg(role, ' ' ORDER BY role) FROM user_roles WHERE user_id = users.id) AS roles FROM users
     WHERE disabled = 0 AND id IN (SELECT user_id FROM user_roles WHERE role IN (${roles.map(() => '?').join(', ')}))`,
    ...roles,
  );
  return rows.map((row) => splitNames(row.roles));
}

/** Every combination of roles that some holder of this one has: few, however many holders there are. */
export async function combinationsWith(queries: Queries, role: string): Promise<string[][]> {
  const rows = await queries.all<{ roles: string }>(
    `SELECT DISTINCT (SELECT string_agg(role, ' ' ORDER BY role) FROM user_roles other WHERE other.user_id = mine.user_id) AS roles
     FROM user_roles mine WHERE role = ?`,
    role,
  );
  return rows.map((row) => splitNames(row.roles));
}
