// What a token permits. Permissions stand in `scope`, roles in `roles`; both are compared as a whole and letter by letter, so
// that no prefix, wildcard, upper case or look-alike grants anything.

/** The part of the claims that says what its holder may do. */
export interface Grants {
  readonly scope: string;
  readonly roles: readonly string[];
}

/** Whether the space-separated scope holds exactly `permission`. The empty name, and one with a space in it, is never held. */
export function hasPermission({ scope }: Pick<Grants, 'scope'>, permission: string): boolean {
  if (permission.length === 0 || permission.includes(' ')) return false;
  // Words are found in place: this runs for every request, and splitting makes garbage.
  for (let at = scope.indexOf(permission); at !== -1; at = scope.indexOf(permission, at + 1)) {
    const end = at + permission.length;
    if ((at === 0 || scope[at - 1] === ' ') && (end === scope.length || scope[end] === ' ')) return true;
  }
  return false;
}

/** Whether the token says that its holder has exactly this role. */
export function hasRole({ roles }: Pick<Grants, 'roles'>, role: string): boolean {
  return roles.includes(role);
}
