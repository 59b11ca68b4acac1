// Every endpoint there is: what is not in this list is not served.

import type { ChangePassword } from '../grants/new_password.ts';
import type { AnyEndpoint } from '../http/endpoint.ts';
import { jwksEndpoint } from './jwks.ts';
import { type LoginOptions, loginEndpoint } from './login.ts';
import { type LogoutOptions, logoutEndpoints } from './logout.ts';
import { meEndpoints } from './me.ts';
import { changePasswordEndpoint } from './me_password.ts';
import { type MeSessionsOptions, meSessionsEndpoints } from './me_sessions.ts';
import { type MetadataOptions, metadataEndpoints } from './metadata.ts';
import { type SignalsOptions, signalsEndpoints } from './signals.ts';
import { type TokenOptions, tokenEndpoint } from './token.ts';

export interface EndpointParts
  extends LoginOptions,
    TokenOptions,
    LogoutOptions,
    MeSessionsOptions,
    MetadataOptions,
    Omit<SignalsOptions, 'queries'> {
  readonly changePassword: ChangePassword;
}

export function allEndpoints(parts: EndpointParts): AnyEndpoint[] {
  return [
    loginEndpoint(parts),
    tokenEndpoint(parts),
    ...logoutEndpoints(parts),
    ...meEndpoints(parts.database),
    changePasswordEndpoint(parts.changePassword, parts.allowedOrigins),
    ...meSessionsEndpoints(parts),
    jwksEndpoint(parts.signingKeys),
    ...metadataEndpoints(parts),
    ...signalsEndpoints({ ...parts, queries: parts.database }),
  ];
}
