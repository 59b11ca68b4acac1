// The small world that histories are made of: a few people, sessions, roles and clients, so that marks and tokens meet often; keys
// and tokens that are signed once for all histories; and the moment at which all of them begin.
import {
  type AccessTokenClaims,
  exportPrivateKey,
  generateKeyPair,
  importPrivateKey,
  type SigningKey,
  signAccessToken,
} from '@latchkey/core';
import type { Mark } from '@latchkey/core/verifier';

export const issuerAddress = 'https://id.example.test/auth';
export const audience = 'https://api.example.test';
/** Milliseconds. */
export const beginning = Date.UTC(2030, 4, 5, 6, 7, 8);

export const keys: readonly SigningKey[] = Array.from(
  { length: 5 },
  () => generateKeyPair('ES256').signingKey,
);
export const { signingKey: stranger } = generateKeyPair('ES256');

/** A key of the attacker's own that bears the name of one of the issuer's. */
export function impostorOf({ kid }: { readonly kid: string }): SigningKey {
  return importPrivateKey(exportPrivateKey(stranger), 'ES256', kid);
}

export interface KnownToken {
  readonly text: string;
  readonly claims: AccessTokenClaims;
  readonly kid: string;
}

/** Every other one is an identifier as Latchkey makes them, the others are names: marks on both are kept in different ways. */
function named(prefix: string, i: number): string {
  return i % 2 === 0
    ? `${prefix}${i}`
    : `${prefix === 'u' ? 'usr_' : ''}${prefix}${i}`.padEnd(prefix === 'u' ? 26 : 22, 'A');
}
const several = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => named(prefix, i));

const people = several(4, 'u');
const roles = ['doctor', 'nurse', 'clerk'];
const clients = ['front', 'back'];
const sessions = several(6, 's');
const tokenIds = several(20, 't');

/** Every other token lives for an hour, the others for seven minutes, so that both ends are met. */
export const tokens: readonly KnownToken[] = tokenIds.map((jti, i) => {
  const key = keys[i % 3 === 2 ? 1 : 0] as SigningKey;
  const iat = beginning / 1000 - 10;
  const claims: AccessTokenClaims = {
    iss: issuerAddress,
    sub: people[i % people.length] as string,
    aud: audience,
    exp: iat + (i % 2 === 0 ? 3_600 : 420),
    iat,
    jti,
    sid: sessions[i % sessions.length] as string,
    client_id: clients[i % 5 === 0 ? 1 : 0] as string,
    auth_time: iat,
    preferred_username: 'ada',
    roles: roles.filter((_, role) => (i >> role) % 2 === 0),
    scope: 'records:read',
    ver: 1 + (i % 3),
    rver: 1 + (i % 2),
  };
  return { text: signAccessToken(claims, key), claims, kid: key.kid };
});

/** A mark to be: `life` in seconds from its commit, for ever without one. */
export interface MarkPlan {
  readonly by: 'jti' | 'sid' | 'client' | 'sub' | 'role';
  readonly stale: boolean;
  readonly index: number;
  readonly below: number;
  readonly life: number | undefined;
}

const values = { jti: tokenIds, sid: sessions, client: clients, sub: people, role: roles };

export function markOf(plan: MarkPlan, now: number): Mark {
  const { by, below, life } = plan;
  const known = values[by];
  const versioned = by === 'sub' || by === 'role';
  return {
    kind: by === 'role' || (by === 'sub' && plan.stale) ? 'stale' : 'revoke',
    by,
    value: known[plan.index % known.length] as string,
    ...(versioned ? { below } : {}),
    ...(life === undefined ? {} : { until: now + life * 1000 }),
  };
}

/** What a forger would like to have believed: everybody out. */
export const forgedMarks: readonly Mark[] = [
  ...people.map((value) => ({ kind: 'revoke', by: 'sub', value, below: 99 }) as const),
  ...sessions.map((value) => ({ kind: 'revoke', by: 'sid', value }) as const),
];
