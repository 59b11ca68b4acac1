// The body of a request, as a flat JSON object with known fields and nothing else: wrong types are refused, never
// converted, and a field we do not know is a mistake that the caller should hear about.
import type { IncomingMessage } from 'node:http';
import { parseStrictJson } from '@latchkey/core';
import { badRequest, HttpError } from './http_error.ts';

const bodyLimit = 16 * 1024;

/** Checks one field and gives its value; `undefined` stands for a field that is absent. */
export type Field<T> = (value: unknown, name: string) => T;

export async function readJsonBody<T extends object>(
  request: IncomingMessage,
  fields: { readonly [K in keyof T]: Field<T[K]> },
): Promise<T> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new HttpError(415, 'invalid_request', 'The body must be application/json.');
  }
  const body = parse(await readAll(request));
  const unknown = Object.keys(body).find((name) => !Object.hasOwn(fields, name));
  if (unknown !== undefined) throw badRequest('The body has a field that is not known here.');
  const entries = Object.entries<Field<unknown>>(fields).map(([name, check]) => [
    name,
    check(body[name], name),
  ]);
  return Object.fromEntries(entries) as T;
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) {
      throw new HttpError(413, 'invalid_request', 'The body is too large.', {
        headers: { connection: 'close' },
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): Record<string, unknown> {
  let body: unknown;
  try {
    body = parseStrictJson(bytes);
  } catch {
    throw badRequest('The body is not JSON, or not unambiguous.');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw badRequest('The body must be an object.');
  return body as Record<string, unknown>;
}

export function text(most: number): Field<string> {
  return (value, name) => {
    if (typeof value !== 'string' || value.trim() === '') throw badRequest(`"${name}" must be a text.`);
    if (value.length > most) throw badRequest(`"${name}" may have ${most} characters at most.`);
    if (!value.isWellFormed() || value.includes('\0'))
      throw badRequest(`"${name}" holds characters that are no text.`);
    return value.trim();
  };
}

export function oneOf<const T extends string>(...values: readonly T[]): Field<T> {
  return (value, name) => {
    const found = values.find((allowed) => allowed === value);
    if (found === undefined) throw badRequest(`"${name}" must be one of ${values.join(', ')}.`);
    return found;
  };
}

export function integer(least: number, most: number, otherwise: number): Field<number> {
  return (value, name) => {
    if (value === undefined) return otherwise;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      throw badRequest(`"${name}" must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** A moment in RFC 3339, kept in UTC and whole minutes so that moments sort as text. */
export function moment(): Field<string> {
  return (value, name) => {
    const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;
    const time = typeof value === 'string' && form.test(value) ? Date.parse(value) : Number.NaN;
    if (Number.isNaN(time)) throw badRequest(`"${name}" must be a moment such as 2030-01-31T09:30:00Z.`);
    return `${new Date(time).toISOString().slice(0, 16)}:00Z`;
  };
}
