// The issuer of test/support for the hospital's people: their claims from the manifest, their tokens, and the marks that hit them.
import type { AccessTokenClaims } from '@latchkey/core';
import { signAccessToken, signJws } from '@latchkey/core';
import { someClaims, startIssuer as startTestIssuer } from '../support/issuer.ts';

export interface Person {
  readonly sub: string;
  readonly username: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
}

export interface Mark {
  readonly kind: 'revoke' | 'stale';
  readonly by: 'sid' | 'sub';
  readonly value: string;
  readonly below?: number;
}

export interface TestIssuer {
  readonly issuer: string;
  readonly audience: string;
  /** The claims of a fresh token, to be bent by a test. */
  claimsOf(person: Person, extra?: Record<string, unknown>): AccessTokenClaims;
  tokenFor(person: Person, extra?: Record<string, unknown>): string;
  /** Any payload under the real key, for tokens of another kind. */
  sign(header: Record<string, unknown>, payload: object): string;
  mark(mark: Mark): void;
  close(): Promise<void>;
}

export async function startIssuer(): Promise<TestIssuer> {
  const issuer = await startTestIssuer({ heartbeat: 500 });
  const claimsOf: TestIssuer['claimsOf'] = (person, extra = {}) => ({
    ...someClaims(issuer),
    sub: person.sub,
    preferred_username: person.username,
    roles: [...person.roles],
    scope: person.permissions.join(' '),
    ...extra,
  });
  return {
    issuer: issuer.issuer,
    audience: issuer.audience,
    claimsOf,
    tokenFor: (person, extra) => signAccessToken(claimsOf(person, extra), issuer.key),
    sign: (header, payload) => signJws(header, JSON.stringify(payload), issuer.key),
    mark: ({ kind, ...mark }) => issuer[kind](mark),
    close: () => issuer.close(),
  };
}
