// Fastify, set up once: strict JSON and forms, no coercion, request ids, security headers, errors; and the pipeline that
// every endpoint runs in: read, check, authenticate, handle.
import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { parseStrictJson } from '@latchkey/core';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { AuthError } from '../errors.ts';
import type { Origin } from '../storage/audit.ts';
import type { Authenticator, Caller } from './caller.ts';
import { createSerializerCompiler, createValidatorCompiler } from './compilers.ts';
import type { AnyEndpoint } from './endpoint.ts';
import { handleError, handleNotFound } from './errors.ts';
import type { TSchema } from './schema.ts';
import { errorSchema } from './schemas.ts';

export interface AppOptions {
  readonly authenticator: Authenticator;
  readonly endpoints: readonly AnyEndpoint[];
  readonly trustedProxies: readonly string[];
  /** Origins whose pages may call with cookies. */
  readonly origins: readonly string[];
  readonly logger: FastifyBaseLogger;
  /** Told of each answer: the metrics. */
  readonly onAnswer?: (route: string, method: string, status: number, milliseconds: number) => void;
}

/** 64 KiB: no call of ours needs more (threat G15). */
const bodyLimit = 65_536;

const requestIdPattern = /^[A-Za-z0-9_.-]{8,64}$/;

export function createApp(options: AppOptions): FastifyInstance {
  const app = Fastify({
    loggerInstance: options.logger,
    // One line a request would double the log: refusals and faults are logged where they happen.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    bodyLimit,
    trustProxy: [...options.trustedProxies],
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && requestIdPattern.test(given) ? given : randomUUID();
    },
    // An address that cannot be read never reaches the hooks: by itself Fastify would answer with the address in it.
    frameworkErrors: (error, request, reply) =>
      handleError(error, request, reply.headers(headersOfAll(request))),
    routerOptions: { maxParamLength: 128, ignoreTrailingSlash: false, caseSensitive: true },
    connectionTimeout: 30_000,
    requestTimeout: 15_000,
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
  });
  app.setValidatorCompiler(createValidatorCompiler());
  app.setSerializerCompiler(createSerializerCompiler());
  app.setErrorHandler(handleError);
  app.setNotFoundHandler(handleNotFound);
  useParsers(app);
  useHeaders(app);
  useCrossOrigin(app, new Set(options.origins));
  const { onAnswer } = options;
  if (onAnswer !== undefined) {
    app.addHook('onResponse', async (request, reply) => {
      onAnswer(request.routeOptions.url ?? 'none', request.method, reply.statusCode, reply.elapsedTime);
    });
  }
  return app;
}

function useParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: Buffer) => {
      try {
        return parseStrictJson(body);
      } catch {
        throw new AuthError(
          'invalid_request',
          'The body is not JSON, or not unambiguous (a key twice, bad UTF-8, too deep).',
        );
      }
    },
  );
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_request: FastifyRequest, body: string) => {
      const form: Record<string, string> = Object.create(null);
      for (const [name, value] of new URLSearchParams(body)) {
        if (name in form) throw new AuthError('invalid_request', 'The form has a parameter twice.');
        form[name] = value;
      }
      return form;
    },
  );
}

function useHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headersOfAll(request));
  });
}

/** On every answer (threat S12). */
function headersOfAll(request: Pick<FastifyRequest, 'id'>): Record<string, string> {
  return {
    'x-request-id': request.id,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
  };
}

/** CORS for the origins that the settings name, and for nobody else (threat S11). */
function useCrossOrigin(app: FastifyInstance, origins: ReadonlySet<string>): void {
  if (origins.size === 0) return;
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    reply.header('vary', 'Origin');
    if (origin === undefined || !origins.has(origin)) return;
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'cross-origin-resource-policy': 'cross-origin',
    });
  });
  app.options('/auth/*', async (request, reply) => {
    const { origin } = request.headers;
    if (origin === undefined || !origins.has(origin))
      throw new AuthError('not_found', 'There is nothing at this address.');
    return reply
      .code(204)
      .headers({
        'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers': 'Authorization, Content-Type, Idempotency-Key, X-Latchkey',
        'access-control-max-age': '600',
      })
      .send();
  });
}

/** Registers the endpoints; call after plugins that look at routes (OpenAPI). */
export function registerEndpoints(app: FastifyInstance, options: AppOptions): void {
  for (const endpoint of options.endpoints) {
    app.route({
      method: endpoint.method,
      url: endpoint.path,
      schema: schemaOf(endpoint),
      attachValidation: false,
      preParsing: async (request) => {
        endpoint.admit?.();
        checkContentType(endpoint, request);
      },
      preValidation: async (request) => readIntegers(endpoint, request),
      handler: async (request, reply) => await run(endpoint, options.authenticator, request, reply),
    });
  }
}

async function run(
  endpoint: AnyEndpoint,
  authenticator: Authenticator,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const caller = await authenticator.authenticate(request, endpoint.access);
  const call = {
    body: request.body,
    query: request.query,
    params: request.params,
    caller,
    origin: originOf(request, caller),
    request,
    reply,
  };
  const answer = await (endpoint.handle as (call: unknown) => Promise<unknown>)(call);
  return reply.sent || answer === reply ? reply : (answer ?? null) === null ? reply.send() : answer;
}

export function originOf(request: FastifyRequest, caller: Caller | undefined): Origin {
  // What a trusted proxy forwards is taken for an address only when it is one (threat O01).
  const ip = request.ip ?? 'local';
  return {
    actor: actorOf(caller),
    ip: ip === 'local' || isIP(ip) !== 0 ? ip : 'unknown',
    requestId: request.id,
  };
}

function actorOf(caller: Caller | undefined): string {
  if (caller === undefined) return 'anonymous';
  if (caller.kind === 'user') return caller.userId;
  return caller.kind === 'client' ? caller.client.id : 'operator';
}

/** A body of another type than the endpoint takes is refused before it is read (threat S08: text/plain, forms). */
function checkContentType(endpoint: AnyEndpoint, request: FastifyRequest): void {
  if (endpoint.body === undefined) return;
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (endpoint.optionalBody === true && encoding === undefined && (length ?? '0') === '0') return;
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  const wanted = endpoint.bodyType === 'form' ? 'application/x-www-form-urlencoded' : 'application/json';
  if (type !== wanted) throw new AuthError('unsupported_media_type', `The body must be ${wanted}.`);
}

/** Query parameters are text; those that the schema calls integers are read as such, and nothing else is coerced. */
function readIntegers(endpoint: AnyEndpoint, request: FastifyRequest): void {
  const properties =
    (endpoint.query as { properties?: Record<string, { type?: string }> } | undefined)?.properties ?? {};
  const query = request.query as Record<string, unknown>;
  for (const [name, value] of Object.entries(query)) {
    if (properties[name]?.type === 'integer' && typeof value === 'string' && /^\d{1,9}$/.test(value))
      query[name] = Number(value);
  }
}

const anyQuery = { type: 'object', additionalProperties: true };
const emptyQuery = { type: 'object', additionalProperties: false, properties: {} };

function schemaOf(endpoint: AnyEndpoint): Record<string, unknown> {
  const response: Record<string, unknown> = { '4xx': errorSchema, '5xx': errorSchema };
  for (const [status, schema] of Object.entries(endpoint.responses)) {
    response[status] = schema ?? { type: 'null', description: 'no body' };
  }
  return {
    summary: endpoint.summary,
    tags: [endpoint.tag],
    ...securityOf(endpoint),
    ...bodyOf(endpoint),
    querystring: endpoint.query ?? (endpoint.ignoresUnknown ? anyQuery : emptyQuery),
    ...(endpoint.params === undefined ? {} : { params: endpoint.params }),
    response,
  };
}

function bodyOf(endpoint: AnyEndpoint): Record<string, unknown> {
  const body: TSchema | undefined = endpoint.body;
  if (body === undefined) return {};
  return {
    body,
    consumes: [endpoint.bodyType === 'form' ? 'application/x-www-form-urlencoded' : 'application/json'],
  };
}

function securityOf(endpoint: AnyEndpoint): Record<string, unknown> {
  if (endpoint.access === 'public') return {};
  return { security: [{ [endpoint.access === 'client' ? 'client' : 'bearer']: [] }] };
}
