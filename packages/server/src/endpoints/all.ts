// Every endpoint there is: what is not in this list is not served.

import type { ChangePassword } from '../grants/new_password.ts';
import type { Register } from '../grants/registration.ts';
import type { AnyEndpoint } from '../http/endpoint.ts';
import { adminAuditEndpoint } from './admin_audit.ts';
import { type AdminClientsOptions, adminClientsEndpoints } from './admin_clients.ts';
import { type AdminKeysOptions, adminKeysEndpoints } from './admin_keys.ts';
import { type AdminRolesOptions, adminRolesEndpoints } from './admin_roles.ts';
import { type AdminSessionsOptions, adminSessionsEndpoints } from './admin_sessions.ts';
import { type AdminUsersOptions, adminUsersEndpoints } from './admin_users.ts';
import { introspectEndpoint } from './introspect.ts';
import { jwksEndpoint } from './jwks.ts';
import { type LoginOptions, loginEndpoint } from './login.ts';
import { type LogoutOptions, logoutEndpoints } from './logout.ts';
import { meEndpoints } from './me.ts';
import { changePasswordEndpoint } from './me_password.ts';
import { type MeSessionsOptions, meSessionsEndpoints } from './me_sessions.ts';
import { type MetadataOptions, metadataEndpoints } from './metadata.ts';
import { type OpenApiEndpointsOptions, openApiEndpoints } from './openapi.ts';
import { registerEndpoint } from './register.ts';
import { revokeEndpoint } from './revoke.ts';
import { type SignalsOptions, signalsEndpoints } from './signals.ts';
import { type TokenOptions, tokenEndpoint } from './token.ts';

export interface EndpointParts
  extends LoginOptions,
    TokenOptions,
    LogoutOptions,
    MeSessionsOptions,
    MetadataOptions,
    AdminUsersOptions,
    AdminRolesOptions,
    AdminSessionsOptions,
    AdminKeysOptions,
    AdminClientsOptions,
    Omit<OpenApiEndpointsOptions, 'endpoints'>,
    SignalsOptions {
  readonly changePassword: ChangePassword;
  /** Undefined where people may not make their own accounts: then there is no such endpoint. */
  readonly register: Register | undefined;
}

export function allEndpoints(parts: EndpointParts): AnyEndpoint[] {
  const all: AnyEndpoint[] = [
    loginEndpoint(parts),
    tokenEndpoint(parts),
    ...(parts.register === undefined ? [] : [registerEndpoint(parts.register)]),
    ...logoutEndpoints(parts),
    ...meEndpoints(parts.database),
    changePasswordEndpoint(parts.changePassword, parts.allowedOrigins),
    ...meSessionsEndpoints(parts),
    revokeEndpoint(parts.tokenRevocation),
    introspectEndpoint(parts.tokenRevocation),
    ...adminUsersEndpoints(parts),
    ...adminRolesEndpoints(parts),
    ...adminSessionsEndpoints(parts),
    ...adminKeysEndpoints(parts),
    ...adminClientsEndpoints(parts),
    adminAuditEndpoint(parts.database),
    jwksEndpoint(parts.signingKeys),
    ...metadataEndpoints(parts),
    ...signalsEndpoints(parts),
    ...openApiEndpoints({ ...parts, endpoints: () => all }),
  ];
  return all;
}
