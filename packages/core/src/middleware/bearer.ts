// Where the token stands in a request: in one `Authorization: Bearer` header and nowhere else (RFC 6750 §2.1). Not in the query, which
// ends up in logs and histories, and not in the body. What could be read in two ways is not read at all: two such
// headers, two tokens, or other spacing are `invalid_request`, because the next hop may take the other one.
import { TokenError } from '../token_error.ts';

/** The request itself is ambiguous: answered with 400 `invalid_request` (RFC 6750 §3.1). Never holds what was sent. */
export class BearerError extends Error {
  override readonly name = 'BearerError';
}

// The b64token of RFC 6750 §2.1, after exactly one space (RFC 9110 §11.4); the scheme is case-insensitive (§11.1).
const credentials = /^Bearer ([A-Za-z0-9\-._~+/]+=*)$/i;
const bearerScheme = /^\s*Bearer(?:\s|,|$)/i;

/**
 * The token in the raw headers of a request (`IncomingMessage.rawHeaders`: name, value, name, value …). The parsed `headers` object will
 * not do: Node keeps only the first of two Authorization headers. Throws TokenError `missing_token` where there is none
 * or another scheme, BearerError where it is ambiguous.
 */
export function readBearer(rawHeaders: readonly string[]): string {
  let value: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length !== 13 || name.toLowerCase() !== 'authorization') continue;
    if (value !== undefined) throw new BearerError('more than one Authorization header');
    value = rawHeaders[at + 1];
  }
  return readAuthorization(value);
}

/** The same for the value of a single header; fetch's `Headers` join several with a comma, which is no part of a token. */
export function readAuthorization(value: string | null | undefined): string {
  const token = credentials.exec(value ?? '')?.[1];
  if (token !== undefined) return token;
  if (bearerScheme.test(value ?? '') || /,\s*Bearer\s/i.test(value ?? '')) {
    throw new BearerError('the Authorization header is not "Bearer", one space and one token');
  }
  throw new TokenError('missing_token', 'no bearer token');
}
