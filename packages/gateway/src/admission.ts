// The pipeline up to the door: normalise → route → authenticate → authorise → mutate, the same for requests and upgrades.
// Nothing is sent anywhere here; what comes out is either a request ready to forward or a refusal.
//
// Everything is decided at once, without waiting, unless a token names a key that is not here yet.
import type { IncomingMessage } from 'node:http';
import { authenticate, type Identity } from './authenticate.ts';
import { authorise } from './authorise.ts';
import type { AddressReader, ClientAddress } from './client_address.ts';
import { allOf, fieldOf, requestHeaders } from './mutate.ts';
import { type NormalRequest, normalise } from './normalise.ts';
import type { CompiledRoute, GatewayVerifier } from './options.ts';
import { createRateLimiter, type RateLimiter } from './rate_limit.ts';
import { bodyTooLarge, fault, Refusal, rateLimited } from './refusals.ts';
import { matchRoute, type RouteTable } from './route.ts';
import { isRequestId, newRequestId } from './trace.ts';

/** A request that may be forwarded. */
export interface Admission {
  readonly request: NormalRequest;
  readonly route: CompiledRoute;
  /** Undefined on public routes. */
  readonly identity: Identity | undefined;
  readonly requestId: string;
  /** For the upstream: name, value, name, value. */
  readonly headers: readonly string[];
}

/** A request that may not, and the route it was refused on, if it got that far. */
export interface Rejection {
  readonly refusal: Refusal;
  readonly route: CompiledRoute | undefined;
}

/** What is known of every request, refused or not. */
export interface Caller {
  readonly client: ClientAddress;
  readonly requestId: string;
  readonly secure: boolean;
}

export interface AdmissionSettings {
  readonly table: RouteTable;
  readonly routes: readonly CompiledRoute[];
  /** Undefined only where every route is public. */
  readonly verifier: GatewayVerifier | undefined;
  readonly headerCountLimit: number;
  readonly readAddress: AddressReader;
  readonly tls: boolean;
  readonly now: () => number;
}

export interface Door {
  identify(incoming: IncomingMessage): Caller;
  admit(
    incoming: IncomingMessage,
    caller: Caller,
    upgrading: boolean,
  ): Admission | Rejection | Promise<Admission | Rejection>;
}

interface Limits {
  readonly address: RateLimiter | undefined;
  readonly subject: RateLimiter | undefined;
}

export function createDoor(settings: AdmissionSettings): Door {
  const { table, verifier, headerCountLimit, now } = settings;
  const limits = new Map<CompiledRoute, Limits>();
  for (const route of settings.routes) {
    const { address, subject } = route.rate;
    limits.set(route, {
      address: address === undefined ? undefined : createRateLimiter(address),
      subject: subject === undefined ? undefined : createRateLimiter(subject),
    });
  }

  const admit = (incoming: IncomingMessage, caller: Caller, upgrading: boolean) => {
    const request = normalise(incoming, headerCountLimit, upgrading);
    if (request instanceof Refusal) return { refusal: request, route: undefined };
    const route = matchRoute(table, request.host, request.path, request.method);
    if (route instanceof Refusal) return { refusal: route, route: undefined };
    const wait = limits.get(route)?.address?.take(caller.client.key, now()) ?? 0;
    if (wait > 0) return { refusal: rateLimited('address_rate', wait), route };
    if (route.access === 'public') return complete(request, route, caller, undefined);
    // Only possible when the checks of the options were passed by: closed, not open.
    if (verifier === undefined) return { refusal: fault, route };
    const identity = authenticate(route, request, verifier);
    return identity instanceof Promise
      ? identity.then((late) => complete(request, route, caller, late))
      : complete(request, route, caller, identity);
  };

  const complete = (
    request: NormalRequest,
    route: CompiledRoute,
    caller: Caller,
    identity: Identity | Refusal | undefined,
  ): Admission | Rejection => {
    if (identity instanceof Refusal) return { refusal: identity, route };
    const refusal = authorise(route.access, identity?.claims) ?? bodyRefusal(request, route);
    if (refusal !== undefined) return { refusal, route };
    if (identity !== undefined) {
      const wait = limits.get(route)?.subject?.take(identity.claims.sub, now()) ?? 0;
      if (wait > 0) return { refusal: rateLimited('subject_rate', wait), route };
    }
    const { client, secure, requestId } = caller;
    const headers = requestHeaders({ request, kind: route.kind, identity, client, secure, requestId });
    return { request, route, identity, requestId, headers };
  };

  return { identify: (incoming) => identify(incoming, settings), admit };
}

function bodyRefusal({ framing }: NormalRequest, { bodyLimit }: CompiledRoute): Refusal | undefined {
  return framing.kind === 'length' && framing.bytes > bodyLimit ? bodyTooLarge : undefined;
}

function identify({ rawHeaders, socket }: IncomingMessage, { readAddress, tls }: AdmissionSettings): Caller {
  const client = readAddress(socket.remoteAddress, () => allOf(rawHeaders, 'x-forwarded-for'));
  if (!client.proxied) return { client, requestId: newRequestId(), secure: tls };
  const given = fieldOf(rawHeaders, 'x-request-id');
  const requestId = given !== undefined && isRequestId(given) ? given : newRequestId();
  // The last entry is the one that our own proxy wrote.
  const scheme = allOf(rawHeaders, 'x-forwarded-proto')?.split(',').at(-1)?.trim().toLowerCase();
  return { client, requestId, secure: tls || scheme === 'https' };
}
