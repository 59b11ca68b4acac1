// The decision every middleware makes, without any framework: extract, verify, authorise, or the refusal to send. All of them answer
// alike (RFC 6750 §3, `refusalOf`), with the request's id so that a user's report can be found in the logs. The request's
// own id is taken over only when it is short and harmless.
import { randomUUID } from 'node:crypto';
import type { VerifiedToken } from '../access_token.ts';
import { type Refusal, refusalOf } from '../refusal.ts';
import { hasPermission, hasRole } from '../roles.ts';
import { TokenError } from '../token_error.ts';
import { BearerError } from './bearer.ts';

export type { VerifiedToken };

/** What a middleware needs of a verifier. */
export interface TokenVerifier {
  verify(token: unknown, options?: { readonly sensitive?: boolean }): Promise<VerifiedToken>;
}

export interface TokenRequirement {
  /** Must stand in the token's `scope`. */
  readonly permission?: string;
  /** Must stand in the token's `roles`. */
  readonly role?: string;
  /** Refuse as soon as revocations of the last 10 s may be unknown. @default false */
  readonly sensitive?: boolean;
}

/** A refusal as it goes out. */
export interface RefusalAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Outcome = { readonly auth: VerifiedToken } | { readonly refusal: RefusalAnswer };

const names = ['permission', 'role', 'sensitive'];

/** Throws TypeError for a requirement that would silently require less than was meant. */
export function checkRequirement(requirement: TokenRequirement): TokenRequirement {
  for (const [name, value] of Object.entries(requirement)) {
    if (!names.includes(name)) throw new TypeError(`requireToken: ${name} is not an option`);
    const good =
      name === 'sensitive' ? typeof value === 'boolean' : typeof value === 'string' && value !== '';
    if (!good)
      throw new TypeError(`requireToken: ${name} must be a ${name === 'sensitive' ? 'boolean' : 'name'}`);
  }
  return requirement;
}

/** `extract` reads the token of the request. Rejects only where something of ours is broken. */
export async function decide(
  verifier: TokenVerifier,
  requirement: TokenRequirement,
  extract: () => string,
  givenId: string | null | undefined,
): Promise<Outcome> {
  try {
    const auth = await verifier.verify(extract(), { sensitive: requirement.sensitive === true });
    authorise(auth, requirement);
    return { auth };
  } catch (error) {
    const refusal = error instanceof BearerError ? ambiguous : refusalOf(error);
    return { refusal: answerOf(refusal, requestId(givenId)) };
  }
}

function authorise({ claims }: VerifiedToken, { permission, role }: TokenRequirement): void {
  if (permission !== undefined && !hasPermission(claims, permission)) {
    throw new TokenError('insufficient_scope', 'the token lacks the permission');
  }
  if (role !== undefined && !hasRole(claims, role)) {
    throw new TokenError('insufficient_scope', 'the token lacks the role');
  }
}

const ambiguousText = 'The request must carry one access token, in one Authorization header.';

const ambiguous = {
  status: 400,
  headers: { 'www-authenticate': `Bearer error="invalid_request", error_description="${ambiguousText}"` },
  body: { error: 'invalid_request', error_description: ambiguousText },
};

function answerOf({ status, headers, body }: Refusal | typeof ambiguous, id: string): RefusalAnswer {
  return {
    status,
    headers: {
      ...headers,
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-request-id': id,
    },
    body: JSON.stringify({ ...body, request_id: id }),
  };
}

function requestId(given: string | null | undefined): string {
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : randomUUID();
}
