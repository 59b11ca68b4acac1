// The OpenAPI 3.1 document, made from the very list of endpoints that is served: what is not in it does not exist. Schemas
// with a title become components. Pure; built on the first request, so that a start does not pay for it.
import type { AnyEndpoint } from './endpoint.ts';
import type { TSchema } from './schema.ts';
import { errorSchema } from './schemas.ts';

type JsonObject = Record<string, unknown>;

export interface OpenApiOptions {
  /** The public origin. */
  readonly origin: string;
  readonly version: string;
}

const description = `Errors are \`{error, error_description, reason?, request_id}\`. Unknown members, wrong types and repeated keys are 400.
Calls under /auth/admin take a token whose audience is the issuer (sign in with \`audience\` set to it) and need the permission
that is named at each of them as \`x-permission\`.`;

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token' },
  client: { type: 'http', scheme: 'basic', description: 'A registered client: its id and its secret' },
  refreshCookie: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-latchkey-refresh',
    description: 'Browsers, instead of the refresh token; the call then needs the header `X-Latchkey: 1`',
  },
};

/** Moves every schema that has a title into `components` and leaves a reference. */
function referring(schema: unknown, components: JsonObject): unknown {
  if (Array.isArray(schema)) return schema.map((item) => referring(item, components));
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [name, referring(value, components)]),
  );
  if (typeof copy.title !== 'string') return copy;
  const { title, ...rest } = copy;
  components[title] = rest;
  return { $ref: `#/components/schemas/${title}` };
}

function parametersOf(endpoint: AnyEndpoint): JsonObject[] {
  const listed = (schema: TSchema | undefined, place: string) => {
    const properties = (schema?.properties ?? {}) as Record<string, TSchema>;
    const required = (schema?.required ?? []) as string[];
    return Object.entries(properties).map(([name, property]) => ({
      name,
      in: place,
      required: required.includes(name),
      schema: property,
    }));
  };
  const headers = Object.entries(endpoint.headers ?? {}).map(([name, text]) => ({
    name,
    in: 'header',
    required: false,
    description: text,
    schema: { type: 'string' },
  }));
  return [...listed(endpoint.params, 'path'), ...listed(endpoint.query, 'query'), ...headers];
}

function contentOf(schema: TSchema, type: string, components: JsonObject): JsonObject {
  return { [type]: { schema: referring(schema, components) } };
}

function responsesOf(endpoint: AnyEndpoint, components: JsonObject): JsonObject {
  const responses: JsonObject = {};
  for (const [status, schema] of Object.entries(endpoint.responses)) {
    const type = String(schema?.contentMediaType ?? 'application/json');
    responses[status] =
      schema === null
        ? { description: 'No body' }
        : { description: 'Success', content: contentOf(schema, type, components) };
  }
  const content = contentOf(errorSchema, 'application/json', components);
  return {
    ...responses,
    '4XX': { description: 'Refused', content },
    '5XX': { description: 'Not possible at the moment', content },
  };
}

function securityOf(endpoint: AnyEndpoint): JsonObject {
  if (endpoint.access === 'public')
    return endpoint.cookie === true ? { security: [{}, { refreshCookie: [] }] } : {};
  if (endpoint.access === 'client') return { security: [{ client: [] }] };
  if (endpoint.access === 'user') return { security: [{ bearer: [] }] };
  return { security: [{ bearer: [] }], 'x-permission': endpoint.access.permission };
}

function operationOf(endpoint: AnyEndpoint, components: JsonObject): JsonObject {
  const parameters = parametersOf(endpoint);
  const type = endpoint.bodyType === 'form' ? 'application/x-www-form-urlencoded' : 'application/json';
  const words = endpoint.path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '' && word !== 'auth');
  return {
    operationId: [endpoint.method.toLowerCase(), ...words].join('_'),
    tags: [endpoint.tag],
    summary: endpoint.summary,
    ...securityOf(endpoint),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(endpoint.body === undefined
      ? {}
      : {
          requestBody: {
            required: endpoint.optionalBody !== true,
            content: contentOf(endpoint.body, type, components),
          },
        }),
    responses: responsesOf(endpoint, components),
  };
}

export function openApiDocument(endpoints: readonly AnyEndpoint[], options: OpenApiOptions): JsonObject {
  const components: JsonObject = {};
  const paths: Record<string, JsonObject> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operationOf(endpoint, components) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Latchkey', version: options.version, description, license: { name: 'Apache-2.0' } },
    servers: [{ url: options.origin }],
    tags: [...new Set(endpoints.map((endpoint) => endpoint.tag))].map((name) => ({ name })),
    paths,
    components: { schemas: components, securitySchemes },
  };
}
