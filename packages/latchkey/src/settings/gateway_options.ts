// What the gateway is told, made from the settings. It holds no secret, so it can be handed to the gateway's process as
// it is, and that process never reads the configuration, which may hold some.
import type { GatewayOptions, Route } from '@latchkey/gateway';
import type { Settings } from './settings.ts';

/** Options without functions: they travel between processes. */
export type PlainGatewayOptions = Omit<GatewayOptions, 'verifier' | 'log' | 'now'>;

export interface GatewayListening {
  readonly port: number;
  readonly internalPort: number;
  readonly authUrl: string;
  /** Added to the routes of the settings. */
  readonly routes?: readonly Route[];
}

export function gatewayOptions(
  settings: Settings,
  { port, internalPort, authUrl, routes }: GatewayListening,
): PlainGatewayOptions {
  const trustedProxies = settings.given<readonly string[]>('trustedProxies');
  const certFile = settings.given<string>('tls.cert');
  const keyFile = settings.given<string>('tls.key');
  return {
    routes: [...(settings.given<readonly Route[]>('routes') ?? []), ...(routes ?? [])],
    issuer: settings.issuer,
    audience: settings.audience,
    authUpstream: authUrl,
    listen: { host: settings.host, port },
    internal: { host: '127.0.0.1', port: internalPort },
    ...(certFile !== undefined && keyFile !== undefined && { tls: { certFile, keyFile } }),
    ...(trustedProxies !== undefined && { trustedProxies }),
  };
}
