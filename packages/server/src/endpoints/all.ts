// Every endpoint there is: what is not in this list is not served.

import type { ChangePassword } from '../grants/new_password.ts';
import type { Register } from '../grants/registration.ts';
import type { AnyEndpoint } from '../http/endpoint.ts';
import { withReceipts } from '../http/receipts.ts';
import type { Fleet } from '../signals/fleet.ts';
import type { Receipts } from '../signals/receipts.ts';
import { adminAuditEndpoint } from './admin_audit.ts';
import { type AdminClientsOptions, adminClientsEndpoints } from './admin_clients.ts';
import { type AdminKeysOptions, adminKeysEndpoints } from './admin_keys.ts';
import { type AdminReceiversOptions, adminReceiversEndpoints } from './admin_receivers.ts';
import { type AdminRolesOptions, adminRolesEndpoints } from './admin_roles.ts';
import { type AdminSessionsOptions, adminSessionsEndpoints } from './admin_sessions.ts';
import { type AdminUsersOptions, adminUsersEndpoints } from './admin_users.ts';
import { type AdminVerifiersOptions, adminVerifiersEndpoint } from './admin_verifiers.ts';
import { type EventsOptions, eventsEndpoints } from './events.ts';
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
import { signalsAppliedEndpoint } from './signals_applied.ts';
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
    AdminReceiversOptions,
    EventsOptions,
    Omit<AdminVerifiersOptions, 'queries'>,
    Omit<OpenApiEndpointsOptions, 'endpoints'>,
    Omit<SignalsOptions, 'fleet'> {
  readonly fleet: Fleet;
  readonly receipts: Pick<Receipts, 'take'>;
  readonly changePassword: ChangePassword;
  /** Undefined where people may not make their own accounts: then there is no such endpoint. */
  readonly register: Register | undefined;
}

export function allEndpoints(parts: EndpointParts): AnyEndpoint[] {
  const all: AnyEndpoint[] = endpointsOf(parts, () => all).map((one) =>
    withReceipts(one, parts.receipts.take),
  );
  return all;
}

function endpointsOf(parts: EndpointParts, all: () => readonly AnyEndpoint[]): AnyEndpoint[] {
  return [
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
    ...adminReceiversEndpoints(parts),
    adminVerifiersEndpoint({ ...parts, queries: parts.database }),
    adminAuditEndpoint(parts.database),
    jwksEndpoint(parts.signingKeys),
    ...metadataEndpoints(parts),
    ...signalsEndpoints(parts),
    signalsAppliedEndpoint(parts),
    ...eventsEndpoints(parts),
    ...openApiEndpoints({ ...parts, endpoints: all }),
  ];
}
