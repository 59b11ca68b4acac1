// Every way in which a running token is taken back, as requests ready to be sent: a hundred of them in fixed shares, over and over.
// The rare ones are rare because they hash passwords or make rows that grow; all of them cause signals.
import { firstPassword } from '../auth/people.ts';
import { expectStatus, field } from '../auth/systems.ts';
import { buildRequest, formRequest, jsonRequest } from '../harness/http_connection.ts';
import {
  basic,
  claimOf,
  fetchTokens,
  type Holder,
  type NewPerson,
  type RegisteredClient,
  refreshRequest,
  signInPeople,
} from './people.ts';
import { bearer, type Stage } from './stage.ts';

export interface Revocation {
  readonly kind: string;
  /** What was good until now. */
  readonly token: string;
  /** What its holder is told afterwards. */
  readonly reason: 'revoked' | 'stale';
  readonly request: string;
  /** Of its answer. */
  readonly status: number;
}

interface Kind {
  /** Of a hundred. */
  readonly share: number;
  readonly person?: (setting: Setting, i: number) => NewPerson;
  readonly make: (holder: Holder, setting: Setting) => readonly [request: string, status: number];
  readonly stale?: true;
}

interface Setting {
  readonly stage: Stage;
  /** May revoke everybody's tokens. */
  readonly revoker: RegisteredClient;
  readonly clients: readonly RegisteredClient[];
}

const withBearer = (method: string, path: string, { accessToken }: Holder): string =>
  buildRequest({ method, path, headers: bearer(accessToken) });

const roleOf = (i: number): string => `bench-role-${i}`;
const inRole = (_: Setting, i: number): NewPerson => ({ roles: [roleOf(i)] });
/** The one role of its own that the token names. */
const ownRole = ({ accessToken }: Holder): string => claimOf(accessToken, 'roles');

const kinds: Readonly<Record<string, Kind>> = {
  'sign-out by refresh token': {
    share: 14,
    make: (holder) => [jsonRequest('/auth/logout', { refresh_token: holder.nextRefreshToken }), 204],
  },
  'sign-out by access token': {
    share: 10,
    make: (holder) => [withBearer('POST', '/auth/logout', holder), 204],
  },
  'sign-out everywhere': {
    share: 10,
    make: (holder) => [withBearer('POST', '/auth/logout/all', holder), 204],
  },
  'own device': {
    share: 8,
    make: (holder) => [withBearer('DELETE', `/auth/me/sessions/${holder.sid}`, holder), 204],
  },
  'session by administrator': {
    share: 10,
    make: ({ sid }, { stage }) => [stage.admin.request('DELETE', `sessions/${sid}`), 204],
  },
  'all sessions by administrator': {
    share: 8,
    make: ({ id }, { stage }) => [stage.admin.request('DELETE', `users/${id}/sessions`), 204],
  },
  'user disabled': {
    share: 8,
    make: ({ id }, { stage }) => [stage.admin.request('PATCH', `users/${id}`, { disabled: true }), 200],
  },
  'user deleted': {
    share: 6,
    make: ({ id }, { stage }) => [stage.admin.request('DELETE', `users/${id}`), 204],
  },
  'one token by administrator': {
    share: 10,
    make: ({ accessToken }, { stage }) => [
      stage.admin.request('DELETE', `tokens/${claimOf(accessToken, 'jti')}`),
      204,
    ],
  },
  'one token, RFC 7009': {
    share: 4,
    make: ({ accessToken }, { revoker }) => [
      formRequest('/auth/revoke', { token: accessToken }, basic(revoker)),
      200,
    ],
  },
  'roles changed': {
    share: 4,
    stale: true,
    person: () => ({ roles: ['bench-before'] }),
    make: ({ id }, { stage }) => [
      stage.admin.request('PUT', `users/${id}/roles`, { roles: ['bench-after'] }),
      200,
    ],
  },
  renamed: {
    share: 2,
    stale: true,
    make: ({ id, username }, { stage }) => [
      stage.admin.request('PATCH', `users/${id}`, { username: `x${username.slice(1)}` }),
      200,
    ],
  },
  'role lost a permission': {
    share: 1,
    stale: true,
    person: inRole,
    make: (holder, { stage }) => [
      stage.admin.request('PATCH', `roles/${ownRole(holder)}`, { permissions: ['bench:read'] }),
      200,
    ],
  },
  'role removed': {
    share: 1,
    stale: true,
    person: inRole,
    make: (holder, { stage }) => [stage.admin.request('DELETE', `roles/${ownRole(holder)}`), 204],
  },
  'refresh token used again': {
    share: 1,
    make: ({ refreshToken }) => [refreshRequest(refreshToken), 400],
  },
  'password by administrator': {
    share: 1,
    make: ({ id }, { stage }) => [
      stage.admin.request('PUT', `users/${id}/password`, { password: `${firstPassword} anew` }),
      204,
    ],
  },
  'own password': {
    share: 1,
    make: ({ accessToken }) => [
      jsonRequest(
        '/auth/me/password',
        { current_password: firstPassword, new_password: `${firstPassword} anew` },
        bearer(accessToken),
      ),
      200,
    ],
  },
  'client removed': {
    share: 1,
    person: ({ clients }, i) => ({ client: clients[i] as RegisteredClient }),
    make: ({ client }, { stage }) => [stage.admin.request('DELETE', `clients/${client?.id}`), 204],
  },
};

export const kindCount = Object.keys(kinds).length;

/** The kinds of one hundred, mixed: the rare ones not all at its end. */
const hundred: readonly string[] = Object.entries(kinds)
  .flatMap(([name, { share }]) => Array.from({ length: share }, (_, i) => ({ name, at: (i + 0.5) / share })))
  .sort((a, b) => a.at - b.at)
  .map(({ name }) => name);

/** `count` people with a token each, and how that token is to be taken back. */
export async function prepareRevocations(stage: Stage, count: number): Promise<readonly Revocation[]> {
  const planned = Array.from({ length: count }, (_, i) => hundred[i % hundred.length] ?? '');
  const indexes = countedFrom(planned);
  const setting = await prepareSetting(stage, planned);
  const people = planned.map((name, i) => kinds[name]?.person?.(setting, indexes[i] ?? 0) ?? {});
  const holders = await fetchTokens(stage.authPort, signInPeople(stage.dataDir, people));
  return holders.map((holder, i): Revocation => {
    const kind = planned[i] ?? '';
    const { make, stale } = kinds[kind] as Kind;
    const [request, status] = make(holder, setting);
    return { kind, token: holder.accessToken, reason: stale ? 'stale' : 'revoked', request, status };
  });
}

/** For each place how many of its like came before; roles count together. */
function countedFrom(planned: readonly string[]): readonly number[] {
  const counts = new Map<string, number>();
  return planned.map((name) => {
    const like = kinds[name]?.person === inRole ? 'role' : name;
    const before = counts.get(like) ?? 0;
    counts.set(like, before + 1);
    return before;
  });
}

async function prepareSetting(stage: Stage, planned: readonly string[]): Promise<Setting> {
  const { admin } = stage;
  const register = async (name: string, scopes: readonly string[] = []): Promise<RegisteredClient> => {
    const answer = await admin.call(201, 'POST', 'clients', { name, scopes });
    return { id: field(answer, 'id'), secret: field(answer, 'secret') };
  };
  const makeRole = (name: string) =>
    admin.call(201, 'POST', 'roles', { name, permissions: ['bench:read', 'bench:write'] });
  for (const name of ['bench-before', 'bench-after']) await makeRole(name);
  const roles = planned.filter((name) => kinds[name]?.person === inRole).length;
  for (let i = 0; i < roles; i += 1) await makeRole(roleOf(i));
  const clients: RegisteredClient[] = [];
  const removed = planned.filter((name) => name === 'client removed').length;
  while (clients.length < removed) clients.push(await register(`bench ${clients.length}`));
  return { stage, clients, revoker: await register('bench revoker', ['revocation']) };
}

/** Sends it; answers when the answer is here. Throws on any other status than the one it should have. */
export async function revoke({ admin }: Stage, { request, status }: Revocation): Promise<number> {
  expectStatus(await admin.pool.send(request), status);
  return performance.now();
}
