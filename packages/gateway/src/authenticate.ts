// Step 3: who is asking? On a public route nobody asks. Elsewhere exactly one bearer token in the Authorization field
// (RFC 6750 §2.1) must verify; never one from the query, a body or a cookie.
//
// A WebSocket of a browser cannot set header fields, so an upgrade may carry its token as the subprotocol
// `latchkey.bearer.<token>` instead. The gateway takes it out again: the service sees a bearer token like any other.
import { type AccessTokenClaims, TokenError } from '@latchkey/core';
import type { NormalRequest } from './normalise.ts';
import type { CompiledRoute, GatewayVerifier } from './options.ts';
import { malformedToken, missingToken, type Refusal, tokenRefusal } from './refusals.ts';

export interface Identity {
  readonly token: string;
  readonly kid: string;
  readonly claims: AccessTokenClaims;
}

const subprotocolPrefix = 'latchkey.bearer.';

/** The identity, or undefined on a public route. Answers at once unless a key must be fetched first. */
export function authenticate(
  route: CompiledRoute,
  request: NormalRequest,
  verifier: GatewayVerifier,
): Identity | undefined | Refusal | Promise<Identity | Refusal> {
  if (route.access === 'public') return undefined;
  const token = bearerToken(request);
  if (typeof token !== 'string') return token;
  const policy = { sensitive: route.sensitive };
  try {
    return identityOf(token, verifier.verifySync(token, policy));
  } catch (error) {
    if (!(error instanceof TokenError) || error.code !== 'unknown_key') return tokenRefusal(error);
  }
  return verifier.verify(token, policy).then((verified) => identityOf(token, verified), tokenRefusal);
}

function identityOf(
  token: string,
  { header, claims }: { header: { readonly kid: string }; claims: AccessTokenClaims },
): Identity {
  return { token, kid: header.kid, claims };
}

function bearerToken({ authorization, upgrade, rawHeaders }: NormalRequest): string | Refusal {
  if (authorization === undefined)
    return (upgrade ? subprotocolToken(rawHeaders) : undefined) ?? missingToken;
  // RFC 9110 §11.1: the scheme has no case; RFC 6750 §2.1: one space, one token.
  const scheme = authorization.slice(0, 7).toLowerCase();
  if (scheme !== 'bearer ') return scheme === 'bearer' ? malformedToken : missingToken;
  const token = authorization.slice(7);
  return /^[A-Za-z0-9\-._~+/]+=*$/.test(token) ? token : malformedToken;
}

function subprotocolToken(rawHeaders: readonly string[]): string | Refusal | undefined {
  const tokens = subprotocols(rawHeaders).filter(isTokenSubprotocol);
  if (tokens.length > 1) return malformedToken;
  return tokens[0]?.slice(subprotocolPrefix.length);
}

/** All of Sec-WebSocket-Protocol (RFC 6455 §11.3.4). */
export function subprotocols(rawHeaders: readonly string[]): string[] {
  const found: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== 'sec-websocket-protocol') continue;
    for (const name of rawHeaders[index + 1]?.split(',') ?? []) found.push(name.trim());
  }
  return found;
}

export function isTokenSubprotocol(name: string): boolean {
  return name.startsWith(subprotocolPrefix);
}
