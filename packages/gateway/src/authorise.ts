// Step 4: may they? A pure function of the route's access and the claims. What the route does not name is refused.
import { type AccessTokenClaims, hasPermission, hasRole } from '@latchkey/core';
import type { Access } from './options.ts';
import { insufficientScope, type Refusal } from './refusals.ts';

export function authorise(access: Access, claims: AccessTokenClaims | undefined): Refusal | undefined {
  if (access === 'public') return undefined;
  if (claims === undefined) return insufficientScope(undefined);
  if (access === 'authenticated') return undefined;
  if ('permission' in access) {
    return hasPermission(claims, access.permission) ? undefined : insufficientScope(access.permission);
  }
  return hasRole(claims, access.role) ? undefined : insufficientScope(undefined);
}
