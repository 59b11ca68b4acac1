// POST /auth/events/poll (RFC 8936): a registered client that is a receiver takes its security events and acknowledges them; and
// the Shared Signals Framework's discovery document, at the place that SSF 1.0 §7.2 gives to an issuer with a path. Receivers are
// registered by an administrator, so the document names no endpoints to manage streams.
import type { Polls } from '../events/polls.ts';
import { maxPolled } from '../events/polls.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed } from '../http/schemas.ts';

export interface EventsOptions {
  readonly issuer: string;
  readonly polls: Polls;
}

export const deliveryMethods = { push: 'urn:ietf:rfc:8935', poll: 'urn:ietf:rfc:8936' } as const;

/** RFC 7617: HTTP Basic, as for every call of a client. */
const basicScheme = 'urn:ietf:rfc:7617';

const jtiField = Type.String({ minLength: 1, maxLength: 64 });
const maxSettled = 500;

const pollBody = closed({
  maxEvents: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: `at most ${maxPolled} come at once` }),
  ),
  returnImmediately: Type.Optional(Type.Boolean()),
  ack: Type.Optional(Type.Array(jtiField, { maxItems: maxSettled })),
  setErrs: Type.Optional(
    Type.Unsafe<Record<string, { err: string; description?: string }>>({
      type: 'object',
      maxProperties: maxSettled,
      additionalProperties: closed({
        err: Type.String({ maxLength: 128 }),
        description: Type.Optional(Type.String({ maxLength: 1024 })),
      }),
    }),
  ),
});

const pollAnswer = Type.Object(
  {
    sets: Type.Unsafe<Record<string, string>>({
      type: 'object',
      description: 'signed tokens (RFC 8417) by their jti',
      additionalProperties: { type: 'string' },
    }),
    moreAvailable: Type.Boolean(),
  },
  { title: 'SecurityEventTokens' },
);

export function eventsEndpoints(options: EventsOptions): AnyEndpoint[] {
  return [poll(options), discovery(options)];
}

function poll({ polls }: EventsOptions): AnyEndpoint {
  return endpoint({
    method: 'POST',
    path: '/auth/events/poll',
    access: 'client',
    tag: 'Security events',
    summary: 'Acknowledge security events and take the next ones (RFC 8936); waits up to 20 s for some',
    body: pollBody,
    responses: { 200: pollAnswer },
    async handle({ body, caller, origin, reply }) {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const request = {
        ack: body.ack ?? [],
        setErrs: body.setErrs ?? {},
        maxEvents: Math.min(body.maxEvents ?? maxPolled, maxPolled),
        returnImmediately: body.returnImmediately ?? false,
      };
      return await polls.poll(caller.client.id, request, origin, gone.signal);
    },
  });
}

function discovery({ issuer }: EventsOptions): AnyEndpoint {
  const metadata = {
    spec_version: '1_0',
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    delivery_methods_supported: Object.values(deliveryMethods),
    authorization_schemes: [{ spec_urn: basicScheme }],
    default_subjects: 'ALL',
  };
  return endpoint({
    method: 'GET',
    path: '/.well-known/ssf-configuration/auth',
    access: 'public',
    tag: 'Discovery',
    summary: 'Transmitter metadata for receivers of security events (SSF 1.0)',
    ignoresUnknown: true,
    responses: {
      200: Type.Object({
        spec_version: Type.String(),
        issuer: Type.String(),
        jwks_uri: Type.String(),
        delivery_methods_supported: Type.Array(Type.String()),
        authorization_schemes: Type.Array(Type.Object({ spec_urn: Type.String() })),
        default_subjects: Type.String(),
      }),
    },
    async handle({ reply }) {
      reply.header('cache-control', 'public, max-age=3600');
      return metadata;
    },
  });
}
