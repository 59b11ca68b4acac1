// Node's servers: how the public one is set, how both are bound, and how one is brought to its end.
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { defaults, type GatewayOptions } from './options.ts';
import { readCertificate } from './tls.ts';

export interface GatewayAddresses {
  /** `127.0.0.1:8080`, as bound. */
  readonly address: string;
  readonly port: number;
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /** `127.0.0.1:9090`; undefined where there is no internal port. */
  readonly internal: string | undefined;
}

/** The server that clients reach, with every limit set. */
export function createPublicServer(options: GatewayOptions): Server {
  const settings = {
    maxHeaderSize: options.headerLimit ?? defaults.headerLimit,
    headersTimeout: options.headersTimeout ?? defaults.headersTimeout,
    requestTimeout: options.requestTimeout ?? defaults.requestTimeout,
    keepAliveTimeout: options.keepAliveTimeout ?? defaults.keepAliveTimeout,
    connectionsCheckingInterval: 1_000,
    // Our own answer to a missing Host is JSON like the others.
    requireHostHeader: false,
    insecureHTTPParser: false,
    // A peer that vanished must not hold an event stream for ever.
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  };
  const server =
    options.tls === undefined
      ? createServer(settings)
      : createTlsServer({ ...settings, ...readCertificate(options.tls), ALPNProtocols: ['http/1.1'] });
  // Node would drop the fields beyond its limit in silence; normalise counts them instead.
  server.maxHeadersCount = 0;
  server.maxConnections = options.maxConnections ?? defaults.maxConnections;
  return server;
}

/** Opens both ports, or none. */
export async function bind(
  { listen, internal: at, tls }: GatewayOptions,
  server: Server,
  internal: Server | undefined,
): Promise<GatewayAddresses> {
  const port = await listenOn(server, listen);
  try {
    const internalPort = internal === undefined || at === false ? undefined : await listenOn(internal, at);
    const address = hostAndPort(listen, port);
    return {
      address,
      port,
      url: `${tls === undefined ? 'http' : 'https'}://${address}`,
      internal: internalPort === undefined || at === false ? undefined : hostAndPort(at, internalPort),
    };
  } catch (error) {
    server.close();
    throw error;
  }
}

function hostAndPort(at: { readonly host?: string } | undefined, port: number): string {
  const host = at?.host ?? '127.0.0.1';
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function listenOn(
  server: Server,
  at: { readonly host?: string; readonly port?: number } | undefined,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: at?.host ?? '127.0.0.1', port: at?.port ?? 0 }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

export function isTlsServer(server: Server): server is Server & TlsServer {
  return server instanceof TlsServer;
}

/** Accepts nothing new and waits while `busy`, at most `limit` milliseconds; then `last` is called and all that is left is closed. */
export async function drain(
  server: Server,
  busy: () => boolean,
  limit: number,
  last: () => void,
): Promise<void> {
  if (!server.listening) return;
  const stopped = new Promise((resolve) => server.close(resolve));
  const deadline = performance.now() + limit;
  while (busy() && performance.now() < deadline) {
    server.closeIdleConnections();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  last();
  server.closeAllConnections();
  await stopped;
}
