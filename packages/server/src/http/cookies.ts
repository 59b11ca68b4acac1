// The two cookies for browsers. `__Host-` binds them to this very origin, over TLS (or localhost); the refresh cookie is
// HttpOnly and SameSite=Strict. A call that a cookie authenticates must prove that our own page made it: a header that a
// foreign page cannot send without a preflight, and the browser's own word on where the call comes from (threat S08).
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AuthError } from '../errors.ts';

export const refreshCookie = '__Host-latchkey-refresh';
export const deviceCookie = '__Host-latchkey-device';

/** The value of a cookie; two of one name are refused, since only tossing makes them (threat S07). */
export function readCookie(request: FastifyRequest, name: string): string | undefined {
  const header = request.headers.cookie;
  if (header === undefined) return undefined;
  const values = header
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${name}=`))
    .map((part) => part.slice(name.length + 1));
  if (values.length > 1) throw new AuthError('invalid_request', 'The request has a cookie twice.');
  return values[0];
}

/** `maxAge`: seconds. */
export function setCookie(reply: FastifyReply, name: string, value: string, maxAge: number): void {
  reply.header(
    'set-cookie',
    `${name}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; Secure; SameSite=Strict`,
  );
}

export function clearCookie(reply: FastifyReply, name: string): void {
  setCookie(reply, name, '', 0);
}

/** Throws AuthError `access_denied` unless our own page, or a page of a named origin, made this call. */
export function checkBrowserCall(request: FastifyRequest, allowedOrigins: ReadonlySet<string>): void {
  const { origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const trusted = origin === undefined ? site === 'same-origin' : allowedOrigins.has(origin);
  if (request.headers['x-latchkey'] !== '1' || !trusted) {
    throw new AuthError(
      'access_denied',
      'A call with a cookie needs the header X-Latchkey: 1 and must come from an allowed origin.',
    );
  }
}
