// JSON Schema and its TypeScript type from one expression: the few words that our endpoints need, named as TypeBox names
// them. At run time a schema is a plain JSON Schema object, as Ajv and OpenAPI take it. The library itself cost more at
// start-up than all of Fastify (docs/decisions/0004-own-schema-words.md).

declare const typed: unique symbol;
declare const optional: unique symbol;

/** A JSON Schema whose values are of type T. */
export interface TSchema<T = unknown> {
  readonly [typed]?: T;
  readonly [keyword: string]: unknown;
}

/** The mark of a property that may be missing. */
export interface TOptional<T = unknown> extends TSchema<T> {
  readonly [optional]: true;
}

export type Static<S extends TSchema> = S extends TSchema<infer T> ? T : never;

type Properties = Readonly<Record<string, TSchema>>;
type OptionalKeys<P extends Properties> = { [K in keyof P]: P[K] extends TOptional ? K : never }[keyof P];
type ObjectOf<P extends Properties> = { [K in Exclude<keyof P, OptionalKeys<P>>]: Static<P[K]> } & {
  [K in OptionalKeys<P>]?: Static<P[K]>;
};
type Keywords = Readonly<Record<string, unknown>>;

const optionals = new WeakSet<TSchema>();

function required(properties: Properties): Keywords {
  const names = Object.keys(properties).filter((name) => !optionals.has(properties[name] ?? {}));
  return names.length === 0 ? {} : { required: names };
}

export const Type = {
  String: (keywords: Keywords = {}): TSchema<string> => ({ type: 'string', ...keywords }),
  Integer: (keywords: Keywords = {}): TSchema<number> => ({ type: 'integer', ...keywords }),
  Boolean: (keywords: Keywords = {}): TSchema<boolean> => ({ type: 'boolean', ...keywords }),
  Null: (): TSchema<null> => ({ type: 'null' }),
  Literal: <const V extends string>(value: V): TSchema<V> => ({ type: 'string', const: value }),
  Array: <S extends TSchema>(items: S, keywords: Keywords = {}): TSchema<Static<S>[]> => ({
    type: 'array',
    items,
    ...keywords,
  }),
  Union: <const S extends readonly TSchema[]>(schemas: S): TSchema<Static<S[number]>> => ({ anyOf: schemas }),
  Object: <P extends Properties>(properties: P, keywords: Keywords = {}): TSchema<ObjectOf<P>> => ({
    type: 'object',
    properties,
    ...required(properties),
    ...keywords,
  }),
  /** The property may be missing. */
  Optional: <T>(schema: TSchema<T>): TOptional<T> => {
    const copy = { ...schema };
    optionals.add(copy);
    return copy as TOptional<T>;
  },
  /** A schema written out by hand. */
  Unsafe: <T>(schema: Keywords): TSchema<T> => schema,
} as const;
