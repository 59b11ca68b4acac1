// What an endpoint is: a method, a path, who may call it, what goes in and out, and a function. Everything shared
// (reading and checking input, authenticating the caller, errors, the OpenAPI document) happens around it, so that a new
// endpoint cannot forget it.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AdminPermission } from '../rules/permissions.ts';
import type { Origin } from '../storage/audit.ts';
import type { Caller } from './caller.ts';
import type { Static, TSchema } from './schema.ts';

/**
 * Who may call: `public`; `user` a bearer of a live session; `client` a registered client with its credential; or a user (or
 * the local operator) with an administrative permission, checked against the live role table.
 */
export type Access = 'public' | 'user' | 'client' | { readonly permission: AdminPermission };

/** The caller that an access rule lets in. */
export type CallerFor<A extends Access> = A extends 'user'
  ? Extract<Caller, { kind: 'user' }>
  : A extends 'client'
    ? Extract<Caller, { kind: 'client' }>
    : A extends 'public'
      ? undefined
      : Extract<Caller, { kind: 'user' | 'operator' }>;

/** What a handler answers instead of nothing when nobody was identified and nothing was to be done: there is no receipt for that. */
export const nothingDone: unique symbol = Symbol('nothing done');

type StaticOf<S> = S extends TSchema ? Static<S> : undefined;

export interface EndpointCall<A extends Access, B, Q, P> {
  readonly body: StaticOf<B>;
  readonly query: StaticOf<Q>;
  readonly params: StaticOf<P>;
  readonly caller: CallerFor<A>;
  /** For the audit trail: who, from where, under which request id. */
  readonly origin: Origin;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface Endpoint<A extends Access, B, Q, P> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly access: A;
  readonly summary: string;
  /** The section of the OpenAPI document. */
  readonly tag: string;
  readonly body?: B;
  /** The body may be missing: the handler then gets null. @default false */
  readonly optionalBody?: boolean;
  /** @default 'json' */
  readonly bodyType?: 'json' | 'form';
  /** RFC 6749 §3.2: parameters that are not known are ignored. @default false */
  readonly ignoresUnknown?: boolean;
  readonly query?: Q;
  /** Headers that matter beside the usual ones, with what they mean: for the document only. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The refresh cookie may stand in for the refresh token: for the document only. @default false */
  readonly cookie?: boolean;
  readonly params?: P;
  /**
   * It revokes tokens, or makes them stale: it takes `?wait=applied` and answers with a receipt, unless the handler answers
   * `nothingDone`. @default false
   */
  readonly revokes?: boolean;
  /** Asked before the body is read; throws what refuses the call whatever it says. */
  readonly admit?: () => void;
  /** By status. A status without a body maps to null. */
  readonly responses: Readonly<Record<number, TSchema | null>>;
  readonly handle: (call: EndpointCall<A, B, Q, P>) => Promise<unknown>;
}

/** An endpoint with its types worn away: what the server registers. */
export type AnyEndpoint = Omit<
  Endpoint<Access, TSchema | undefined, TSchema | undefined, TSchema | undefined>,
  'handle'
> & {
  readonly handle: (call: never) => Promise<unknown>;
};

/** Ties the handler's input types to the schemas; nothing else. */
export function endpoint<
  const A extends Access,
  B extends TSchema | undefined = undefined,
  Q extends TSchema | undefined = undefined,
  P extends TSchema | undefined = undefined,
>(definition: Endpoint<A, B, Q, P>): AnyEndpoint {
  return definition as unknown as AnyEndpoint;
}
