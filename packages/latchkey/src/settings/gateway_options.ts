// What the gateway is told, made from the settings. It is handed to the gateway's process as it is, and that process never
// reads the configuration, which may hold secrets. The one it gets is its own client's, which opens nothing but the signals.
import { join } from 'node:path';
import type { GatewayOptions, Route } from '@latchkey/gateway';
import type { ClientCredential } from './gateway_client.ts';
import type { Settings } from './settings.ts';

/** Options without functions: they travel between processes. */
export type PlainGatewayOptions = Omit<GatewayOptions, 'verifier' | 'log' | 'now'>;

export interface GatewayListening {
  readonly port: number;
  readonly internalPort: number;
  readonly authUrl: string;
  /** Where the signals are read, when neither the settings say it nor the auth server's own address will do. */
  readonly signalsUrl?: string | undefined;
  readonly client?: ClientCredential | undefined;
  /** Added to the routes of the settings. */
  readonly routes?: readonly Route[];
}

export function gatewayOptions(
  settings: Settings,
  { port, internalPort, authUrl, signalsUrl, client, routes }: GatewayListening,
): PlainGatewayOptions {
  const trustedProxies = settings.given<readonly string[]>('trustedProxies');
  const certFile = settings.given<string>('tls.cert');
  const keyFile = settings.given<string>('tls.key');
  const signals = settings.given<'stream' | 'poll'>('gateway.signals');
  const pollInterval = settings.given<number>('gateway.pollInterval');
  const signalsUpstream = settings.given<string>('gateway.signalsUrl') ?? signalsUrl;
  return {
    routes: [...(settings.given<readonly Route[]>('routes') ?? []), ...(routes ?? [])],
    issuer: settings.issuer,
    audience: settings.audience,
    authUpstream: authUrl,
    listen: { host: settings.host, port },
    internal: { host: '127.0.0.1', port: internalPort },
    stateFile: stateFileOf(settings),
    ...(client !== undefined && { client }),
    ...(signals !== undefined && { signals }),
    ...(pollInterval !== undefined && { pollInterval: pollInterval * 1000 }),
    ...(signalsUpstream !== undefined && { signalsUpstream }),
    ...(certFile !== undefined && keyFile !== undefined && { tls: { certFile, keyFile } }),
    ...(trustedProxies !== undefined && { trustedProxies }),
  };
}

export function stateFileOf(settings: Settings): string {
  return settings.given('gateway.stateFile') ?? join(settings.dataDir, 'gateway', 'verifier.json');
}
