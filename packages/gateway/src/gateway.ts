// `createGateway`: the one place that puts the steps together, opens ports and closes them. It owns what has a lifetime:
// servers, upstream pools, timers, and the verifier when it made it.
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createVerifier } from '@latchkey/core/verifier';
import { createDoor } from './admission.ts';
import { createAddressReader } from './client_address.ts';
import { createFront } from './front.ts';
import { type HealthCheck, startHealthChecks } from './health_checks.ts';
import { createInternalServer } from './internal.ts';
import { createMetrics, type Gauge, label } from './metrics.ts';
import {
  authOrigins,
  type CompiledRoute,
  compiledRoutes,
  defaults,
  type GatewayOptions,
  type GatewayVerifier,
} from './options.ts';
import { ConfigurationError, checkGatewayOptions } from './options_check.ts';
import { compileRoutes } from './route.ts';
import { createOpenStreams, type OpenStreams } from './streams.ts';
import { followCertificate, readCertificate } from './tls.ts';
import { createPool, createUpstream, type Pool, type Upstream } from './upstreams.ts';

export interface GatewayAddresses {
  /** `127.0.0.1:8080`, as bound. */
  readonly address: string;
  readonly port: number;
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /** `127.0.0.1:9090`; undefined where there is no internal port. */
  readonly internal: string | undefined;
}

export interface Gateway {
  /** Opens the ports. Does not wait for the verifier: until it is ready, guarded routes answer 503 and `/readyz` says so. */
  listen(): Promise<GatewayAddresses>;
  /** Resolves when the verifier has keys and a snapshot; rejects with TokenError `unavailable` after 10 s. */
  ready(): Promise<void>;
  /** Accepts nothing new, lets requests in flight finish (`closeTimeout`), then closes streams and WebSockets. */
  close(): Promise<void>;
}

const connectTimeout = 3_000;

/** Throws a `ConfigurationError` with every fault of the options. Opens nothing yet. */
export function createGateway(options: GatewayOptions): Gateway {
  const faults = checkGatewayOptions(options);
  if (faults.length > 0) throw new ConfigurationError(faults);
  const now = options.now ?? Date.now;
  const routes = compiledRoutes(options);
  const verifier = options.verifier ?? ownVerifier(options);
  const upstreams = new Map<string, Upstream>();
  const pools = new Map<CompiledRoute, Pool>();
  for (const route of routes)
    pools.set(route, createPool(route.upstreams.map((origin) => upstreamAt(upstreams, origin))));
  const streams = createOpenStreams(verifier, now);
  let closing = false;

  const door = createDoor({
    table: compileRoutes(routes),
    routes,
    verifier,
    headerCountLimit: options.headerCountLimit ?? defaults.headerCountLimit,
    readAddress: createAddressReader(options.trustedProxies ?? []),
    tls: options.tls !== undefined,
    now,
  });
  const metrics = createMetrics(gauges(() => front.inFlight, streams, upstreams, verifier, now));
  const front = createFront({
    door,
    poolOf: (route) => pools.get(route) as Pool,
    metrics,
    accessLog: options.accessLog === false ? undefined : options.log,
    log: options.log,
    forward: {
      stallTimeout: options.stallTimeout ?? defaults.stallTimeout,
      connectTimeout,
      now,
      streams,
      closing: () => closing,
    },
  });
  const server = publicServer(options);
  front.attach(server);
  const notReady = () => [
    ...(closing ? ['closing'] : []),
    ...(verifier?.status().ready === false ? ['no keys and revocations yet'] : []),
  ];
  const internal =
    options.internal === false ? undefined : createInternalServer({ notReady, metrics: metrics.text });
  const endings: (() => void)[] = [];
  let closed: Promise<void> | undefined;

  const shutDown = async () => {
    closing = true;
    if (server.listening)
      await drain(
        server,
        () => front.inFlight - streams.count('response'),
        options.closeTimeout ?? defaults.closeTimeout,
        streams,
      );
    for (const end of endings) end();
    streams.stop();
    for (const upstream of upstreams.values()) upstream.close();
    if (options.verifier === undefined) verifier?.close();
    internal?.closeAllConnections();
    if (internal?.listening === true) await new Promise((resolve) => internal.close(resolve));
  };

  return {
    async listen() {
      const addresses = await bind(options, server, internal);
      endings.push(
        startHealthChecks(healthChecks(routes, upstreams), options.healthInterval ?? defaults.healthInterval),
      );
      if (options.tls !== undefined)
        endings.push(
          followCertificate(
            server as Parameters<typeof followCertificate>[0],
            options.tls,
            options.log,
            options.certificateInterval ?? defaults.certificateInterval,
          ),
        );
      return addresses;
    },
    async ready() {
      await verifier?.ready();
    },
    close() {
      closed ??= shutDown();
      return closed;
    },
  };
}

/** Undefined where no route asks for a token. The issuer is reached beside us, not through its public name. */
function ownVerifier(options: GatewayOptions): GatewayVerifier | undefined {
  const { issuer, audience, stateFile } = options;
  if (issuer === undefined || audience === undefined) return undefined;
  const [origin] = authOrigins(options);
  const verifierOptions = {
    issuer,
    audience,
    ...(origin === undefined ? {} : { issuerAddress: new URL(origin).origin + new URL(issuer).pathname }),
    ...(stateFile === undefined ? {} : { stateFile }),
    ...(options.now === undefined ? {} : { now: options.now }),
  };
  try {
    return createVerifier(verifierOptions);
  } catch (error) {
    throw error instanceof TypeError ? new ConfigurationError([error.message]) : error;
  }
}

function upstreamAt(upstreams: Map<string, Upstream>, given: string): Upstream {
  const { origin } = new URL(given);
  const known = upstreams.get(origin);
  if (known !== undefined) return known;
  const upstream = createUpstream(origin);
  upstreams.set(origin, upstream);
  return upstream;
}

/** One check for each upstream: where routes disagree about the path, the first one counts. */
function healthChecks(routes: readonly CompiledRoute[], upstreams: Map<string, Upstream>): HealthCheck[] {
  const checks = new Map<Upstream, HealthCheck>();
  for (const { healthPath, upstreams: origins } of routes) {
    if (healthPath === undefined) continue;
    for (const origin of origins) {
      const upstream = upstreamAt(upstreams, origin);
      if (!checks.has(upstream)) checks.set(upstream, { upstream, path: healthPath });
    }
  }
  return [...checks.values()];
}

function publicServer(options: GatewayOptions): Server {
  const settings = {
    maxHeaderSize: options.headerLimit ?? defaults.headerLimit,
    headersTimeout: options.headersTimeout ?? defaults.headersTimeout,
    requestTimeout: options.requestTimeout ?? defaults.requestTimeout,
    keepAliveTimeout: options.keepAliveTimeout ?? defaults.keepAliveTimeout,
    connectionsCheckingInterval: 1_000,
    // Our own answer to a missing Host is JSON like the others.
    requireHostHeader: false,
    insecureHTTPParser: false,
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

async function bind(
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

async function drain(
  server: Server,
  waiting: () => number,
  limit: number,
  streams: OpenStreams,
): Promise<void> {
  const stopped = new Promise((resolve) => server.close(resolve));
  const deadline = performance.now() + limit;
  while (waiting() > 0 && performance.now() < deadline) {
    server.closeIdleConnections();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  streams.closeAll();
  server.closeAllConnections();
  await stopped;
}

function gauges(
  inFlight: () => number,
  streams: OpenStreams,
  upstreams: ReadonlyMap<string, Upstream>,
  verifier: GatewayVerifier | undefined,
  now: () => number,
): Gauge[] {
  const status = (
    name: string,
    help: string,
    read: (status: ReturnType<GatewayVerifier['status']>) => number,
  ): Gauge[] =>
    verifier === undefined
      ? []
      : [{ name: `latchkey_gateway_verifier_${name}`, help, read: () => read(verifier.status()) }];
  return [
    { name: 'latchkey_gateway_in_flight', help: 'Requests not yet answered to the end.', read: inFlight },
    {
      name: 'latchkey_gateway_streams',
      help: 'Event streams and WebSockets that are open.',
      read: () => [
        ['kind="event_stream"', streams.count('response')],
        ['kind="websocket"', streams.count('tunnel')],
      ],
    },
    {
      name: 'latchkey_gateway_upstream_up',
      help: '1 where the upstream is taken for well.',
      read: () =>
        [...upstreams.values()].map(
          (upstream) => [`upstream=${label(upstream.origin)}`, upstream.downUntil <= now() ? 1 : 0] as const,
        ),
    },
    ...status('ready', '1 once keys and revocations are here.', ({ ready }) => (ready ? 1 : 0)),
    ...status('keys', 'Verification keys.', ({ keys }) => keys.length),
    ...status('marks', 'Revocations and stale marks held.', ({ marks }) => marks),
    ...status('connected', '1 while the stream of signals is open.', ({ connected }) => (connected ? 1 : 0)),
    ...status(
      'stale_seconds',
      'Age of the last word from the issuer.',
      ({ staleForMs }) => staleForMs / 1000,
    ),
    {
      name: 'process_resident_memory_bytes',
      help: 'Resident memory.',
      read: () => process.memoryUsage.rss(),
    },
  ];
}
