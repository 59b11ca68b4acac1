// oidc-provider with the durable adapter beside this file: refresh token grant with rotation, ES256 access tokens (JWT,
// RFC 9068) for one resource server, a public client; no id_token, so that it signs as often as the others do.
//   node oidc_provider_server.ts FOLDER   → prints "ready PORT"
// `GET /bench/refresh-token` starts a chain: the interactive part of a code flow is not what is measured.
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { loadPeer } from '../peers/load.ts';
import { openOidcAdapter } from './oidc_adapter.ts';

interface Grant {
  addResourceScope(resource: string, scope: string): void;
  save(): Promise<string>;
}
interface Provider {
  callback(): RequestListener;
  readonly Client: { find(id: string): Promise<unknown> };
  readonly Grant: new (input: object) => Grant;
  readonly RefreshToken: new (input: object) => { save(): Promise<string> };
}
interface OidcModule {
  default: new (issuer: string, configuration: object) => Provider;
}

const resource = 'https://api.example.com';
const scope = 'records:read records:write';
export const oidcClientId = 'bench';

function configuration(folder: string): object {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    adapter: openOidcAdapter(join(folder, 'oidc_provider.db')),
    clients: [
      {
        client_id: oidcClientId,
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: ['https://app.example.com/callback'],
        response_types: ['code'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'bench' }] },
    cookies: { keys: ['a cookie key of the bench'] },
    rotateRefreshToken: true,
    findAccount: (_context: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope,
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  };
}

async function startChain(provider: Provider): Promise<string> {
  const accountId = 'person0';
  const client = await provider.Client.find(oidcClientId);
  const grant = new provider.Grant({ accountId, clientId: oidcClientId });
  grant.addResourceScope(resource, scope);
  const grantId = await grant.save();
  const gty = 'authorization_code';
  return new provider.RefreshToken({ client, accountId, grantId, gty, resource, scope }).save();
}

const folder = process.argv[2] ?? '.';
const server = createServer();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as { port: number };
const { default: Provider } = await loadPeer<OidcModule>('oidc-provider');
const provider = new Provider(`http://localhost:${port}`, configuration(folder));
const handle = provider.callback();
server.on('request', (request, response) => {
  if (request.url !== '/bench/refresh-token') return handle(request, response);
  return void startChain(provider).then((token) => response.end(JSON.stringify({ refresh_token: token })));
});
console.log(`ready ${port}`);
flushCompileCache();
