// Schemas are compiled when they are first used, not at start-up: most endpoints are never called in the first minute,
// and compiling them all costs more than everything else that a start does. Validation is Ajv's without coercion, removal
// or loading of schemas; answers are serialised by their schema, so that a field it does not name is never sent.
import { createRequire } from 'node:module';
import type { Ajv, ValidateFunction } from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';

const require = createRequire(import.meta.url);

/** `strict` off: `format` and OpenAPI's own words are annotations here, not faults. */
const ajvOptions = {
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: true,
  strict: false,
  validateSchema: false,
  meta: false,
  logger: false,
} as const;

function newAjv(): Ajv {
  const library = require('ajv') as typeof import('ajv');
  return new library.Ajv(ajvOptions);
}

export function createValidatorCompiler(): FastifySchemaCompiler<unknown> {
  let ajv: Ajv | undefined;
  return ({ schema }) => {
    let compiled: ValidateFunction | undefined;
    const validate: ReturnType<FastifySchemaCompiler<unknown>> = (data: unknown) => {
      ajv ??= newAjv();
      compiled ??= ajv.compile(schema as object);
      const valid = compiled(data);
      validate.errors = compiled.errors ?? null;
      return valid;
    };
    return validate;
  };
}

export function createSerializerCompiler(): (route: {
  readonly schema: unknown;
}) => (data: unknown) => string {
  return ({ schema }) => {
    let serialize: ((data: unknown) => string) | undefined;
    return (data) => {
      serialize ??= newSerializer(schema as object);
      return serialize(data);
    };
  };
}

function newSerializer(schema: object): (data: unknown) => string {
  const build = require('fast-json-stringify') as typeof import('fast-json-stringify').default;
  return build(schema);
}
