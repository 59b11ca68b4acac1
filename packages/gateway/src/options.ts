// What a gateway can be told, the defaults, and the routes as the pipeline uses them. What is wrong with a set of options is
// said by `checkGatewayOptions` in options_check.ts, all of it at once.
//
// Times are milliseconds, sizes are bytes. Everything is refused that is not named here: a misspelt `sensitive` must not
// pass as "not sensitive".
import type { Verifier } from '@latchkey/core/verifier';

/** At most `requests` in any `seconds`; the whole amount may come at once (a token bucket of that size). */
export interface Rate {
  readonly requests: number;
  readonly seconds: number;
}

/** Who may pass. There is no default: a route without it is a fault. */
export type Access = 'public' | 'authenticated' | { readonly permission: string } | { readonly role: string };

export interface Route {
  /** Name in logs and metrics. @default host and prefix */
  readonly id?: string;
  /** Only for this Host, without a port. @default any */
  readonly host?: string;
  /** `/api/patients` matches itself and `/api/patients/…`, not `/api/patientsx`. Letters, digits, `-._~/` only. */
  readonly prefix: string;
  /** @default GET HEAD POST PUT PATCH DELETE OPTIONS. GET includes HEAD. */
  readonly methods?: readonly string[];
  /** Origins, `http://127.0.0.1:4101`; several are taken in turn. */
  readonly upstreams: readonly string[];
  readonly access: Access;
  /** Refuse when revocations have not been heard of for 10 s, instead of the life of a token. @default false */
  readonly sensitive?: boolean;
  /** To the first byte of the answer, from the last byte of the request. @default 30 000 */
  readonly timeLimit?: number;
  /** Largest request body. @default 1 MiB */
  readonly bodyLimit?: number;
  /** Limits per client address (IPv4, or IPv6 /64) and per `sub`. @default none */
  readonly rate?: { readonly address?: Rate; readonly subject?: Rate };
  /** Asked of every upstream with GET every few seconds; 2xx is well. @default none: only failures are noticed */
  readonly healthPath?: string;
}

/** What logs are written to; pino's loggers fit. Never given a token, a cookie or a query. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What the gateway asks of a verifier: `createVerifier` of core makes one. */
export type GatewayVerifier = Pick<
  Verifier,
  'ready' | 'verify' | 'verifySync' | 'status' | 'onMark' | 'isRevoked' | 'close'
>;

export interface GatewayOptions {
  readonly routes: readonly Route[];
  /** A verifier of your own, which you also close. Otherwise one is made from `issuer` and `audience`. */
  readonly verifier?: GatewayVerifier;
  readonly issuer?: string;
  readonly audience?: string | readonly string[];
  /** Where the verifier that is made here keeps the last good keys and revocations, for a start while the issuer is down. */
  readonly stateFile?: string;
  /** The client that the verifier made here is registered as: it is listed, and acknowledges what it has applied. */
  readonly client?: { readonly id: string; readonly secret: string };
  /** How it calls itself (`User-Agent`). @default latchkey-gateway and its version */
  readonly agent?: string;
  /** `poll`: asks for the snapshot again and again, where long connections are impossible. @default 'stream' */
  readonly signals?: 'stream' | 'poll';
  /** Between two questions of `poll`. @default 2000 */
  readonly pollInterval?: number;
  /** The origin that the signals are read from, where that is another one than `authUpstream`. */
  readonly signalsUpstream?: string;
  /** Origins of the auth server. `/auth/*` and its metadata go there, and the verifier asks the first one. */
  readonly authUpstream?: string | readonly string[];
  /** @default 127.0.0.1, a free port */
  readonly listen?: { readonly host?: string; readonly port?: number };
  /** `/livez`, `/readyz`, `/metrics`; false for none. @default 127.0.0.1, a free port */
  readonly internal?: { readonly host?: string; readonly port?: number } | false;
  /** PEM files, read again when they change. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** How often the files of `tls` are looked at. @default 5000 */
  readonly certificateInterval?: number;
  /** Addresses or CIDR blocks whose X-Forwarded-* fields and X-Request-Id count. @default none */
  readonly trustedProxies?: readonly string[];
  readonly log?: Logger;
  /** One line a request at level info. @default true where `log` is given */
  readonly accessLog?: boolean;
  /** All header fields of a request together. @default 16 KiB */
  readonly headerLimit?: number;
  /** Number of header fields. @default 100 */
  readonly headerCountLimit?: number;
  /** From the first byte to the end of the header section. @default 10 000 */
  readonly headersTimeout?: number;
  /** From the first byte to the end of the body. @default 120 000 */
  readonly requestTimeout?: number;
  /** An idle connection is kept this long: longer than a load balancer in front keeps it. @default 65 000 */
  readonly keepAliveTimeout?: number;
  /** A client that takes none of its answer is cut off after this. @default 60 000 */
  readonly stallTimeout?: number;
  /** Client connections at once. @default 10 000 */
  readonly maxConnections?: number;
  /** How long `close` waits for requests in flight. @default 10 000 */
  readonly closeTimeout?: number;
  /** Between two health checks. @default 5000 */
  readonly healthInterval?: number;
  /** @default Date.now */
  readonly now?: () => number;
}

/** Which cookies and headers an upstream may see: the auth server keeps the refresh cookie, nobody else does. */
export type RouteKind = 'auth' | 'service';

export interface CompiledRoute {
  readonly id: string;
  readonly kind: RouteKind;
  readonly host: string | undefined;
  readonly prefix: string;
  readonly methods: readonly string[];
  readonly upstreams: readonly string[];
  readonly access: Access;
  readonly sensitive: boolean;
  readonly timeLimit: number;
  readonly bodyLimit: number;
  readonly rate: { readonly address?: Rate; readonly subject?: Rate };
  readonly healthPath: string | undefined;
}

export const defaultMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

export const defaults = {
  timeLimit: 30_000,
  bodyLimit: 1024 * 1024,
  headerLimit: 16 * 1024,
  headerCountLimit: 100,
  headersTimeout: 10_000,
  requestTimeout: 120_000,
  keepAliveTimeout: 65_000,
  stallTimeout: 60_000,
  maxConnections: 10_000,
  closeTimeout: 10_000,
  healthInterval: 5_000,
  certificateInterval: 5_000,
} as const;

/** The auth server's own paths: they belong to no other route, and they alone see the refresh cookie. */
export const authPrefixes = [
  '/auth',
  '/.well-known/oauth-authorization-server/auth',
  '/.well-known/ssf-configuration/auth',
] as const;

/** `POST /auth/admin/…?wait=applied` may take 30 s to answer, so these routes wait a little longer. */
const authLimits = { timeLimit: 40_000, bodyLimit: 64 * 1024 } as const;

export function authOrigins({ authUpstream }: GatewayOptions): readonly string[] {
  if (authUpstream === undefined) return [];
  return typeof authUpstream === 'string' ? [authUpstream] : authUpstream;
}

/** All routes of a gateway, defaults filled in. The options have passed `checkGatewayOptions`. */
export function compiledRoutes(options: GatewayOptions): CompiledRoute[] {
  const upstreams = authOrigins(options);
  const auth = upstreams.length === 0 ? [] : authPrefixes.map((prefix) => authRoute(prefix, upstreams));
  return [...auth, ...options.routes.map(serviceRoute)];
}

function authRoute(prefix: string, upstreams: readonly string[]): CompiledRoute {
  return {
    id: prefix,
    kind: 'auth',
    host: undefined,
    prefix,
    methods: defaultMethods,
    upstreams,
    access: 'public',
    sensitive: false,
    ...authLimits,
    rate: {},
    healthPath: undefined,
  };
}

function serviceRoute(route: Route): CompiledRoute {
  return {
    id: route.id ?? `${route.host ?? ''}${route.prefix}`,
    kind: 'service',
    host: route.host?.toLowerCase(),
    prefix: route.prefix,
    methods: route.methods ?? defaultMethods,
    upstreams: route.upstreams,
    access: route.access,
    sensitive: route.sensitive ?? false,
    timeLimit: route.timeLimit ?? defaults.timeLimit,
    bodyLimit: route.bodyLimit ?? defaults.bodyLimit,
    rate: route.rate ?? {},
    healthPath: route.healthPath,
  };
}
