// The OpenAPI document as a judge: every JSON answer is checked against what the document promises for its operation and
// status. A member that the document does not name is a fault too, so that nothing is answered that nobody wrote down.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { Answer } from './auth_server.ts';

interface Media {
  readonly schema: { readonly 'x-empty'?: string };
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly 'x-permission'?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
}

/** Ajv comes with Fastify; tests read it from there. */
interface Validator {
  compile(schema: object): ((value: unknown) => boolean) & { errors?: unknown };
}
const require = createRequire(import.meta.url);
const { Ajv2020 } = require('ajv/dist/2020.js') as { Ajv2020: new (options: object) => Validator };
const addFormats = require('ajv-formats') as (validator: Validator) => void;

export function newValidator(): Validator {
  const validator = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
  addFormats(validator);
  return validator;
}

/** Closes every object that says nothing of further members. */
function closing(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closing);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closing(value)]));
  const isClosable = typeof copy['properties'] === 'object' && copy['additionalProperties'] === undefined;
  return isClosable ? { ...copy, additionalProperties: false } : copy;
}

export interface AnswerJudge {
  /** Fails the test unless the document allows this answer to this call. */
  check(method: string, path: string, answer: Answer): void;
  /** `METHOD /path/{parameter}` of every operation that was judged with a success. */
  readonly succeeded: ReadonlySet<string>;
}

export function createAnswerJudge(document: OpenApiDocument): AnswerJudge {
  const components = closing(document.components);
  const succeeded = new Set<string>();
  const validator = newValidator();
  const compiled = new Map<object, ReturnType<Validator['compile']>>();
  const templates = Object.keys(document.paths).map((template) => ({
    template,
    pattern: new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    parameters: template.split('{').length,
  }));
  // The most literal one: /auth/admin/keys/rotate is not a {kid}.
  templates.sort((one, other) => one.parameters - other.parameters);

  function operationOf(method: string, path: string): { name: string; operation: Operation } {
    const pathname = path.split('?')[0] ?? '';
    for (const { template, pattern } of templates) {
      const operation = document.paths[template]?.[method.toLowerCase()];
      if (pattern.test(pathname) && operation !== undefined)
        return { name: `${method} ${template}`, operation };
    }
    return assert.fail(`the document knows no ${method} ${pathname}`);
  }

  function validate(schema: object, value: unknown, words: string): void {
    let check = compiled.get(schema);
    if (check === undefined) {
      check = validator.compile({ ...(closing(schema) as object), components });
      compiled.set(schema, check);
    }
    assert.ok(check(value), `${words}: ${JSON.stringify(check.errors)}`);
  }

  return {
    succeeded,
    check(method, path, answer) {
      const { name, operation } = operationOf(method, path);
      const status = String(answer.status);
      const described = operation.responses[status] ?? operation.responses[`${status[0]}XX`];
      assert.ok(described, `${name}: the document does not know status ${status}`);
      const type = answer.headers.get('content-type')?.split(';')[0];
      const words = `${name} ${status}`;
      const mayBeEmpty = Object.values(described.content ?? {}).some(
        ({ schema }) => schema['x-empty'] !== undefined,
      );
      if (described.content === undefined) assert.equal(answer.text, '', `${words} has a body`);
      else if (mayBeEmpty && answer.text === '') assert.equal(type, undefined, `${words} has no body`);
      else if (answer.status !== 304) {
        const media = described.content[type ?? ''];
        assert.ok(media, `${words}: the document does not know ${type}`);
        if (type === 'application/json') validate(media.schema, answer.body, words);
      }
      if (answer.status < 300) succeeded.add(name);
    },
  };
}

/** One line an operation, as docs/api.md shows them. */
export function operationTable(document: OpenApiDocument): string {
  const rows = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(
      ([verb, operation]) =>
        `| \`${verb.toUpperCase()} ${path}\` | ${accessOf(operation)} | ${operation.summary} |`,
    ),
  );
  return ['| call | who | what |', '| --- | --- | --- |', ...rows].join('\n');
}

/** `public`, `user`, `client`, or the permission that is needed. */
export function accessOf(operation: Operation): string {
  if (operation['x-permission'] !== undefined) return `\`${operation['x-permission']}\``;
  const schemes = operation.security?.map((rule) => Object.keys(rule)[0]) ?? [];
  if (schemes.includes('bearer')) return 'user';
  return schemes.includes('client') ? 'client' : 'public';
}

export interface ExampleRequest {
  readonly method: string;
  readonly path: string;
  readonly options: { readonly body?: unknown; readonly form?: Record<string, string> };
}

/** A request that the operation's schemas allow, about objects that do not exist. */
export function exampleRequest(
  method: string,
  template: string,
  operation: Operation,
  document: OpenApiDocument,
): ExampleRequest {
  const path = template.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const parameter = operation.parameters?.find((other) => other.name === name);
    return String(exampleOf(parameter?.schema ?? {}, document));
  });
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (media === undefined) return { method, path, options: {} };
  const value = exampleOf(media.schema, document);
  return { method, path, options: type === 'application/json' ? { body: value } : { form: value as never } };
}

function exampleOf(given: object, document: OpenApiDocument): unknown {
  const schema = given as {
    readonly $ref?: string;
    readonly anyOf?: readonly object[];
    readonly enum?: readonly unknown[];
    readonly const?: unknown;
    readonly type?: string;
    readonly minimum?: number;
    readonly properties?: Readonly<Record<string, object>>;
    readonly required?: readonly string[];
  };
  if (schema.$ref !== undefined)
    return exampleOf(document.components.schemas[schema.$ref.split('/').pop() ?? ''] ?? {}, document);
  if (schema.anyOf?.[0] !== undefined) return exampleOf(schema.anyOf[0], document);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.type === 'object') {
    const required = Object.entries(schema.properties ?? {}).filter(([name]) =>
      schema.required?.includes(name),
    );
    return Object.fromEntries(required.map(([name, value]) => [name, exampleOf(value, document)]));
  }
  if (schema.type === 'array') return [];
  if (schema.type === 'integer') return schema.minimum ?? 0;
  // Long enough, and of the one alphabet, for every text that some schema asks for.
  return schema.type === 'string' ? 'nobody-nobody-nobody-2' : schema.type === 'boolean';
}
