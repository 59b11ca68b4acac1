// `createGateway`: the one place that puts the steps together, opens ports and closes them. It owns what has a lifetime:
// servers, upstream pools, timers, and the verifier when it made it.
import { createAccessLog } from './access_log.ts';
import { createDoor } from './admission.ts';
import { createAddressReader } from './client_address.ts';
import { createConnections } from './connections.ts';
import { attachFront } from './front.ts';
import { gauges } from './gauges.ts';
import { type HealthCheck, startHealthChecks } from './health_checks.ts';
import { createInternalServer } from './internal.ts';
import { createMetrics } from './metrics.ts';
import { watchNews } from './news.ts';
import { type CompiledRoute, compiledRoutes, defaults, type GatewayOptions } from './options.ts';
import { ConfigurationError, checkGatewayOptions } from './options_check.ts';
import { createOwnVerifier } from './own_verifier.ts';
import { compileRoutes } from './route.ts';
import { bind, createPublicServer, drain, type GatewayAddresses, isTlsServer } from './servers.ts';
import { createOpenStreams } from './streams.ts';
import { followCertificate } from './tls.ts';
import { createPool, createUpstream, type Pool, type Upstream } from './upstreams.ts';

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
  let closing = false;
  const parts = createParts(options, () => closing);
  const { routes, upstreams, verifier, streams, connections, server, internal } = parts;
  const endings: (() => void)[] = [];
  let closed: Promise<void> | undefined;

  const shutDown = async () => {
    closing = true;
    const busy = () => connections.inFlight > streams.count('response');
    await drain(server, busy, options.closeTimeout ?? defaults.closeTimeout, () => {
      streams.closeAll();
      connections.destroyDetached();
    });
    for (const end of endings) end();
    streams.stop();
    for (const upstream of upstreams.values()) upstream.close();
    if (options.verifier === undefined) verifier?.close();
    if (internal !== undefined)
      await drain(
        internal,
        () => false,
        0,
        () => {},
      );
  };

  return {
    async listen() {
      const addresses = await bind(options, server, internal);
      const interval = options.healthInterval ?? defaults.healthInterval;
      endings.push(startHealthChecks(healthChecks(routes, upstreams), interval));
      if (verifier !== undefined && options.log !== undefined) endings.push(watchNews(verifier, options.log));
      if (isTlsServer(server) && options.tls !== undefined) {
        const every = options.certificateInterval ?? defaults.certificateInterval;
        endings.push(followCertificate(server, options.tls, options.log, every));
      }
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

/** Everything that a gateway is made of, wired together and at rest. */
function createParts(options: GatewayOptions, closing: () => boolean) {
  const now = options.now ?? Date.now;
  const routes = compiledRoutes(options);
  const verifier = options.verifier ?? createOwnVerifier(options);
  const upstreams = new Map<string, Upstream>();
  const poolFor = ({ upstreams: origins }: CompiledRoute) =>
    createPool(origins.map((origin) => upstreamAt(upstreams, origin)));
  const pools = new Map(routes.map((route) => [route, poolFor(route)]));
  const streams = createOpenStreams(verifier, now);
  const connections = createConnections();
  const metrics = createMetrics(gauges({ connections, streams, upstreams, verifier, now }));
  const server = createPublicServer(options);
  attachFront(server, {
    door: createDoor({
      table: compileRoutes(routes),
      routes,
      verifier,
      headerCountLimit: options.headerCountLimit ?? defaults.headerCountLimit,
      readAddress: createAddressReader(options.trustedProxies ?? []),
      tls: options.tls !== undefined,
      now,
    }),
    poolOf: (route) => pools.get(route) as Pool,
    accessLog: createAccessLog(metrics, options.accessLog === false ? undefined : options.log, options.log),
    connections,
    forward: {
      stallTimeout: options.stallTimeout ?? defaults.stallTimeout,
      connectTimeout,
      now,
      streams,
      closing,
    },
  });
  const notReady = () => [
    ...(closing() ? ['closing'] : []),
    ...(verifier?.status().ready === false ? ['no keys and revocations yet'] : []),
  ];
  const internal =
    options.internal === false ? undefined : createInternalServer({ notReady, metrics: metrics.text });
  return { routes, upstreams, verifier, streams, connections, server, internal };
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
