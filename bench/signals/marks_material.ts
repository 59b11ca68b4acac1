// Marks as an issuer would have them, and requests that none of them hits. Users are called `usr_` and 22 characters, sessions and
// tokens 22 characters; of clients, keys and roles there are few.
import { randomBytes } from 'node:crypto';
import type { MarkedClaims, MarkGroup } from '../../packages/core/src/verifier/marks.ts';

/**
 * Fresh strings, as they come out of a token: in one piece, hashed by nobody, and near each other in memory. Made in blocks,
 * because drawing them one by one would push the rest of the bench out of the processor's caches.
 */
function texts(count: number, prefix: string, bytes: number): readonly string[] {
  const random = randomBytes(count * bytes);
  const length = Buffer.alloc(bytes).toString('base64url').length;
  const width = prefix.length + length;
  const block = Buffer.alloc(count * width, prefix, 'latin1');
  for (let i = 0; i < count; i += 1) {
    block.write(prefix, i * width, 'latin1');
    block.write(
      random.toString('base64url', i * bytes, (i + 1) * bytes),
      i * width + prefix.length,
      'latin1',
    );
  }
  return Array.from({ length: count }, (_, i) => block.toString('latin1', i * width, (i + 1) * width));
}

export const randomIds = (count: number): readonly string[] => texts(count, '', 16);
const userIds = (count: number): readonly string[] => texts(count, 'usr_', 16);
const clientIds = (count: number): readonly string[] => texts(count, 'cli_', 16);
const keyIds = (count: number): readonly string[] => texts(count, '', 32);
const roleNames = (count: number): readonly string[] => texts(count, 'ward-', 6);

/** The parallel arrays of a snapshot: a third each of tokens, sessions and users, and a few of the others. */
export function someGroups(count: number, until: (i: number) => number): readonly MarkGroup[] {
  const few = Math.min(1_000, Math.floor(count / 100));
  const third = Math.floor((count - 3 * few) / 3);
  const ends = (values: readonly string[]) => ({ values, until: values.map((_, i) => until(i)) });
  const below = (size: number): number[] => new Array<number>(size).fill(7);
  return [
    { kind: 'revoke', by: 'jti', ...ends(randomIds(count - 2 * third - 3 * few)) },
    { kind: 'revoke', by: 'sid', ...ends(randomIds(third)) },
    { kind: 'revoke', by: 'sub', below: below(third), ...ends(userIds(third)) },
    { kind: 'stale', by: 'role', below: below(few), ...ends(roleNames(few)) },
    { kind: 'revoke', by: 'client', ...ends(clientIds(few)) },
    { kind: 'revoke', by: 'kid', values: keyIds(few) },
  ];
}

export interface Request {
  readonly claims: Required<MarkedClaims>;
  readonly kid: string;
}

export function someRequests(count: number): readonly Request[] {
  const [jtis, sids, subs] = [randomIds(count), randomIds(count), userIds(count)];
  const [clients, kids, roles] = [clientIds(count), keyIds(count), roleNames(count)];
  return jtis.map((jti, i) => ({
    claims: {
      jti,
      sid: sids[i] ?? '',
      sub: subs[i] ?? '',
      client_id: clients[i] ?? '',
      ver: 3,
      roles: [roles[i] ?? ''],
      rver: 12,
    },
    kid: kids[i] ?? '',
  }));
}
