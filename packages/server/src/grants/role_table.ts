// The role table in memory, for exactly one version at a time. A token's roles and `rver` come from one statement; its
// permissions are those of that very version, so they cannot be newer or older than what the token says.
import type { Queries } from '../storage/database.ts';
import { type Role, readRoleTable } from '../storage/roles.ts';

export interface RoleTable {
  readonly rver: number;
  readonly roles: ReadonlyMap<string, Role>;
}

/** Answers the table at version `rver`, or the newer one it has become: the caller then reads its subject again. */
export function createRoleTableCache(queries: Queries): (rver: number) => Promise<RoleTable> {
  let cached: RoleTable | undefined;
  return async (rver) => {
    if (cached?.rver === rver) return cached;
    const table = await readRoleTable(queries);
    cached = { rver: table.rver, roles: new Map(table.roles.map((role) => [role.name, role])) };
    return cached;
  };
}
