// What is wrong with a gateway's options: every fault at once, each a line that names its place. A gateway with faults is
// not made. The rules that protect people stand here: no route without a policy, no open port without TLS, no address that
// two routes claim.
import { isIP } from 'node:net';
import { parseBlock } from './client_address.ts';
import {
  authOrigins,
  authPrefixes,
  compiledRoutes,
  type GatewayOptions,
  type Rate,
  type Route,
} from './options.ts';
import { pathFault } from './path.ts';

/** The options have faults; `faults` lists all of them. */
export class ConfigurationError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`the gateway's configuration has faults:\n  ${faults.join('\n  ')}`);
    this.name = 'ConfigurationError';
    this.faults = faults;
  }
}

const optionNames = new Set(
  [
    'routes verifier issuer audience stateFile client agent signals pollInterval signalsUpstream authUpstream listen internal tls',
    'trustedProxies log accessLog headerLimit headerCountLimit',
    'headersTimeout requestTimeout keepAliveTimeout stallTimeout maxConnections closeTimeout healthInterval certificateInterval now',
  ]
    .join(' ')
    .split(' '),
);
const routeNames = new Set(
  'id host prefix methods upstreams access sensitive timeLimit bodyLimit rate healthPath'.split(' '),
);
const ofOwnVerifier = [
  'issuer',
  'audience',
  'stateFile',
  'client',
  'agent',
  'signals',
  'pollInterval',
  'signalsUpstream',
] as const;
const numbers = [
  'pollInterval',
  'headerLimit',
  'headerCountLimit',
  'headersTimeout',
  'requestTimeout',
  'keepAliveTimeout',
  'stallTimeout',
  'maxConnections',
  'closeTimeout',
  'healthInterval',
  'certificateInterval',
] as const;

/** Every fault of the options, one line each; empty when a gateway can be made of them. Opens no file and no socket. */
export function checkGatewayOptions(options: GatewayOptions): string[] {
  if (!isRecord(options)) return ['the options must be an object'];
  const faults: string[] = [];
  for (const name of Object.keys(options))
    if (!optionNames.has(name)) faults.push(`${name}: there is no such option`);
  for (const name of numbers) checkPositive(options[name], name, faults);
  checkVerifier(options, faults);
  checkListening(options, faults);
  for (const block of options.trustedProxies ?? []) {
    if (parseBlock(block) === undefined)
      faults.push(`trustedProxies: ${quote(block)} is not an address or a CIDR block`);
  }
  for (const origin of authOrigins(options)) checkOrigin(origin, 'authUpstream', faults);
  if (!Array.isArray(options.routes)) return [...faults, 'routes: must be an array'];
  options.routes.forEach((route: Route, index) => {
    checkRoute(
      route,
      `routes[${index}]${isRecord(route) && route.prefix !== undefined ? ` (${route.prefix})` : ''}`,
      options,
      faults,
    );
  });
  if (options.routes.length === 0 && authOrigins(options).length === 0)
    faults.push('routes: a gateway needs at least one route');
  if (faults.length === 0) checkClashes(options, faults);
  return faults;
}

function checkVerifier(options: GatewayOptions, faults: string[]): void {
  if (options.verifier !== undefined) {
    for (const name of ofOwnVerifier) {
      if (options[name] !== undefined)
        faults.push(`${name}: a verifier is given as well; give one or the other`);
    }
    return;
  }
  const guarded = Array.isArray(options.routes) && options.routes.some((route) => route?.access !== 'public');
  if (options.issuer === undefined && options.audience === undefined && !guarded) return;
  if (options.issuer !== undefined && URL.parse(options.issuer) === null) faults.push('issuer: is not a URL');
  if (options.issuer === undefined) faults.push('issuer: is missing, and no verifier is given');
  if (options.audience === undefined) faults.push('audience: is missing, and no verifier is given');
  checkReading(options, faults);
}

/** How the verifier that is made here reads the signals. */
function checkReading({ client, signals, signalsUpstream }: GatewayOptions, faults: string[]): void {
  if (signals !== undefined && signals !== 'stream' && signals !== 'poll')
    faults.push(`signals: must be 'stream' or 'poll'`);
  if (signalsUpstream !== undefined) checkOrigin(signalsUpstream, 'signalsUpstream', faults);
  if (client === undefined) return;
  for (const name of ['id', 'secret'] as const) {
    const value: unknown = isRecord(client) ? client[name] : undefined;
    if (typeof value !== 'string' || value === '') faults.push(`client.${name}: is missing`);
  }
}

function checkListening({ listen, internal, tls, trustedProxies }: GatewayOptions, faults: string[]): void {
  checkPort(listen?.port, 'listen.port', faults);
  if (internal !== false) checkPort(internal?.port, 'internal.port', faults);
  if (tls !== undefined) {
    for (const name of ['certFile', 'keyFile'] as const) {
      if (typeof tls[name] !== 'string' || tls[name] === '') faults.push(`tls.${name}: is missing`);
    }
  }
  const host = listen?.host ?? '127.0.0.1';
  if (!isLoopback(host) && tls === undefined && (trustedProxies?.length ?? 0) === 0) {
    faults.push(
      `listen.host: ${quote(host)} is open to the network without TLS; give tls, or name the proxy in front in trustedProxies`,
    );
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function checkRoute(route: Route, place: string, options: GatewayOptions, faults: string[]): void {
  if (!isRecord(route)) {
    faults.push(`${place}: must be an object`);
    return;
  }
  for (const name of Object.keys(route))
    if (!routeNames.has(name)) faults.push(`${place}: ${name}: there is no such option`);
  checkPrefix(route.prefix, place, options, faults);
  checkAccess(route.access, place, faults);
  checkMethods(route.methods, place, faults);
  if (route.host !== undefined && !/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(String(route.host))) {
    faults.push(`${place}: host: ${quote(route.host)} is not a host name`);
  }
  if (!Array.isArray(route.upstreams) || route.upstreams.length === 0)
    faults.push(`${place}: upstreams: at least one is needed`);
  else for (const origin of route.upstreams) checkOrigin(origin, `${place}: upstreams`, faults);
  if (route.sensitive !== undefined && typeof route.sensitive !== 'boolean')
    faults.push(`${place}: sensitive: must be true or false`);
  checkPositive(route.timeLimit, `${place}: timeLimit`, faults);
  if (route.bodyLimit !== 0) checkPositive(route.bodyLimit, `${place}: bodyLimit`, faults);
  checkRate(route.rate?.address, `${place}: rate.address`, faults);
  checkRate(route.rate?.subject, `${place}: rate.subject`, faults);
  if (route.rate?.subject !== undefined && route.access === 'public') {
    faults.push(`${place}: rate.subject: a public route knows no subject`);
  }
  if (route.healthPath !== undefined && pathFault(String(route.healthPath)) !== undefined) {
    faults.push(`${place}: healthPath: ${quote(route.healthPath)} is not a plain path`);
  }
}

function checkPrefix(prefix: unknown, place: string, options: GatewayOptions, faults: string[]): void {
  // Unreserved characters have exactly one spelling in a path (see path.ts); anything else could be met percent-encoded.
  if (
    typeof prefix !== 'string' ||
    !/^\/[A-Za-z0-9\-._~/]*$/.test(prefix) ||
    pathFault(prefix) !== undefined
  ) {
    faults.push(`${place}: prefix: must start with / and hold plain segments of letters, digits and -._~`);
    return;
  }
  if (prefix !== '/' && prefix.endsWith('/')) {
    faults.push(`${place}: prefix: leave out the last slash; ${prefix.slice(0, -1)} includes all below it`);
  }
  if (authOrigins(options).length === 0) return;
  const folded = prefix.toLowerCase();
  const owner = authPrefixes.find((own) => folded === own || folded.startsWith(`${own}/`));
  if (owner !== undefined) faults.push(`${place}: prefix: ${owner} belongs to the auth server`);
}

function checkAccess(access: unknown, place: string, faults: string[]): void {
  if (access === 'public' || access === 'authenticated') return;
  const names = isRecord(access) ? Object.keys(access) : [];
  const [name] = names;
  if (names.length !== 1 || (name !== 'permission' && name !== 'role')) {
    faults.push(`${place}: access: say who may pass: 'public', 'authenticated', { permission } or { role }`);
    return;
  }
  const value = (access as Record<string, unknown>)[name];
  if (typeof value !== 'string' || !/^[a-z0-9][a-z0-9._:-]{0,63}$/.test(value)) {
    faults.push(
      `${place}: access.${name}: ${quote(value)} is not a name of [a-z0-9._:-], 64 characters at most`,
    );
  }
}

function checkMethods(methods: unknown, place: string, faults: string[]): void {
  if (methods === undefined) return;
  if (!Array.isArray(methods) || methods.length === 0) {
    faults.push(`${place}: methods: must be a list of methods`);
    return;
  }
  for (const method of methods) {
    if (typeof method !== 'string' || !/^[A-Z-]+$/.test(method))
      faults.push(`${place}: methods: ${quote(method)} is not a method in capitals`);
    else if (method === 'TRACE' || method === 'CONNECT')
      faults.push(`${place}: methods: ${method} is never forwarded`);
  }
}

function checkOrigin(origin: unknown, place: string, faults: string[]): void {
  const url = typeof origin === 'string' ? URL.parse(origin) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    faults.push(`${place}: ${quote(origin)} is not an http or https origin`);
  } else if (
    url.pathname !== '/' ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== '' ||
    url.password !== ''
  ) {
    // The path that was matched is the path that is forwarded, so an upstream cannot add one.
    faults.push(
      `${place}: ${quote(url.origin)} must be given as an origin, with no path, query or credentials`,
    );
  }
}

function checkRate(rate: Rate | undefined, place: string, faults: string[]): void {
  if (rate === undefined) return;
  checkPositive(isRecord(rate) ? (rate.requests ?? 0) : 0, `${place}.requests`, faults);
  checkPositive(isRecord(rate) ? (rate.seconds ?? 0) : 0, `${place}.seconds`, faults);
}

/** Two routes may not answer for the same host, prefix and method, nor two prefixes differ in case alone. */
function checkClashes(options: GatewayOptions, faults: string[]): void {
  const claimed = new Set<string>();
  const spelt = new Map<string, string>();
  for (const { host, prefix, methods } of compiledRoutes(options)) {
    for (const method of methods) {
      const claim = `${method} ${host ?? ''}${prefix}`;
      if (claimed.has(claim)) faults.push(`routes: two routes answer ${claim}`);
      claimed.add(claim);
    }
    const other = spelt.get(prefix.toLowerCase());
    if (other !== undefined && other !== prefix)
      faults.push(`routes: ${other} and ${prefix} differ in case alone`);
    spelt.set(prefix.toLowerCase(), prefix);
  }
}

function checkPositive(value: unknown, place: string, faults: string[]): void {
  if (value === undefined) return;
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0)
    faults.push(`${place}: must be a number above 0`);
}

function checkPort(port: unknown, place: string, faults: string[]): void {
  if (port === undefined) return;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65_535)
    faults.push(`${place}: must be a port, 0 to 65535`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function quote(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined';
}
