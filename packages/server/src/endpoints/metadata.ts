// Authorization server metadata (RFC 8414), at its own address and at the one that OpenID clients look at. Links are built
// from the configured issuer, never from a Host header (threat G08).

import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';

export interface MetadataOptions {
  readonly issuer: string;
  readonly algorithm: string;
}

const metadataSchema = Type.Object({
  issuer: Type.String(),
  token_endpoint: Type.String(),
  jwks_uri: Type.String(),
  revocation_endpoint: Type.String(),
  introspection_endpoint: Type.String(),
  response_types_supported: Type.Array(Type.String()),
  grant_types_supported: Type.Array(Type.String()),
  token_endpoint_auth_methods_supported: Type.Array(Type.String()),
  revocation_endpoint_auth_methods_supported: Type.Array(Type.String()),
  introspection_endpoint_auth_methods_supported: Type.Array(Type.String()),
  id_token_signing_alg_values_supported: Type.Array(Type.String()),
  latchkey_login_endpoint: Type.String(),
  latchkey_signals_endpoint: Type.String(),
});

export function metadataEndpoints(options: MetadataOptions): AnyEndpoint[] {
  const { issuer } = options;
  const metadata = {
    issuer,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    revocation_endpoint: `${issuer}/revoke`,
    introspection_endpoint: `${issuer}/introspect`,
    response_types_supported: [],
    grant_types_supported: ['refresh_token'],
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
    revocation_endpoint_auth_methods_supported: ['client_secret_basic'],
    introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
    id_token_signing_alg_values_supported: [options.algorithm],
    latchkey_login_endpoint: `${issuer}/login`,
    latchkey_signals_endpoint: `${issuer}/signals`,
  };
  return ['/.well-known/oauth-authorization-server/auth', '/auth/.well-known/openid-configuration'].map(
    (path) =>
      endpoint({
        method: 'GET',
        path,
        access: 'public',
        tag: 'Discovery',
        summary: 'Authorization server metadata (RFC 8414)',
        ignoresUnknown: true,
        responses: { 200: metadataSchema },
        async handle({ reply }) {
          reply.removeHeader('access-control-allow-credentials');
          reply.headers({ 'cache-control': 'public, max-age=3600', 'access-control-allow-origin': '*' });
          return metadata;
        },
      }),
  );
}
