// Step 2: which route is this? The longest prefix wins, by whole segments; among equal prefixes the one for this host; then
// the method. What is not named is refused: no prefix 404, no method 405. A refused method never falls back to a shorter
// prefix, because that one may ask for less.
//
// A path that would match another route if letters had no case and no width is refused: many services read `/ADMIN` as
// `/admin`, and some read full-width letters so.

import type { CompiledRoute } from './options.ts';
import { invalidRequest, methodNotAllowed, noRoute, type Refusal } from './refusals.ts';

export interface RouteTable {
  readonly prefixes: ReadonlyMap<string, PrefixEntry>;
  /** Lower-cased prefix → prefix. */
  readonly folded: ReadonlyMap<string, string>;
  readonly longest: number;
}

interface PrefixEntry {
  readonly byHost: Map<string, Methods>;
  anyHost: Methods | undefined;
}

type Methods = Map<string, CompiledRoute>;

/** The table for `matchRoute`. Two routes for one host, prefix and method are a fault that `checkGatewayOptions` reports. */
export function compileRoutes(routes: readonly CompiledRoute[]): RouteTable {
  const prefixes = new Map<string, PrefixEntry>();
  const folded = new Map<string, string>();
  for (const route of routes) {
    const entry = prefixes.get(route.prefix) ?? { byHost: new Map<string, Methods>(), anyHost: undefined };
    prefixes.set(route.prefix, entry);
    folded.set(route.prefix.toLowerCase(), route.prefix);
    const methods: Methods =
      (route.host === undefined ? entry.anyHost : entry.byHost.get(route.host)) ?? new Map();
    if (route.host === undefined) entry.anyHost = methods;
    else entry.byHost.set(route.host, methods);
    for (const method of route.methods) methods.set(method, route);
  }
  for (const { byHost, anyHost } of prefixes.values()) {
    for (const methods of [...byHost.values(), ...(anyHost === undefined ? [] : [anyHost])])
      impliedHead(methods);
  }
  return { prefixes, folded, longest: Math.max(0, ...routes.map(({ prefix }) => prefix.length)) };
}

/** RFC 9110 §9.3.2: HEAD is GET without the content, so it stands under GET's policy unless it has its own. */
function impliedHead(methods: Methods): void {
  const get = methods.get('GET');
  if (get !== undefined && !methods.has('HEAD')) methods.set('HEAD', get);
}

export function matchRoute(
  table: RouteTable,
  host: string,
  path: string,
  method: string,
): CompiledRoute | Refusal {
  const prefix = longestPrefix(table, path, (candidate) => servesHost(table.prefixes.get(candidate), host));
  if (/[A-Z%]/.test(path) && prefix !== foldedPrefix(table, path, host)) {
    return invalidRequest('ambiguous_path', 'The path has more than one reading.');
  }
  const entry = prefix === undefined ? undefined : table.prefixes.get(prefix);
  const methods = entry?.byHost.get(host) ?? entry?.anyHost;
  if (methods === undefined) return noRoute;
  return methods.get(method) ?? methodNotAllowed(methods.keys());
}

function servesHost(entry: PrefixEntry | undefined, host: string): boolean {
  return entry !== undefined && (entry.anyHost !== undefined || entry.byHost.has(host));
}

function foldedPrefix(table: RouteTable, path: string, host: string): string | undefined {
  const found = longestPrefix(table, fold(path), (candidate) => {
    const prefix = table.folded.get(candidate);
    return prefix !== undefined && servesHost(table.prefixes.get(prefix), host);
  });
  return found === undefined ? undefined : table.folded.get(found);
}

/** The path has passed `pathFault`, so it decodes, and decoding brings no new slash. */
function fold(path: string): string {
  return (path.includes('%') ? decodeURIComponent(path).normalize('NFKC') : path).toLowerCase();
}

/** Walks from the longest possible prefix to `/`, one segment at a time. */
function longestPrefix(
  table: RouteTable,
  path: string,
  serves: (candidate: string) => boolean,
): string | undefined {
  let candidate = path.length > table.longest ? path.slice(0, path.lastIndexOf('/', table.longest)) : path;
  while (candidate !== '') {
    if (serves(candidate)) return candidate;
    candidate = candidate.slice(0, candidate.lastIndexOf('/'));
  }
  return serves('/') ? '/' : undefined;
}
