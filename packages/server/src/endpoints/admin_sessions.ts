// /auth/admin sessions and tokens: seeing where people are signed in, and ending it. Ending is open to whoever holds
// latchkey:sessions:write, for every user alike: it gives nothing to anybody, and must be quick when it matters.
import { AuthError } from '../errors.ts';
import type { TokenRevocation } from '../grants/revocation.ts';
import type { SessionEnder } from '../grants/sessions.ts';
import { sessionAnswer } from '../http/answers.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed, page, pageOf, pageQuery, sessionSchema } from '../http/schemas.ts';
import type { Database } from '../storage/database.ts';
import { listAllSessions, listSessions } from '../storage/sessions.ts';
import { findUser } from '../storage/users.ts';
import { userParams } from './admin_users.ts';

export interface AdminSessionsOptions {
  readonly database: Database;
  readonly sessions: SessionEnder;
  readonly tokenRevocation: TokenRevocation;
  /** Milliseconds. */
  readonly sessionIdle: number;
}

const reason = 'ended_by_administrator';

export function adminSessionsEndpoints(options: AdminSessionsOptions): AnyEndpoint[] {
  return [listOfUser(options), endOfUser(options), list(options), end(options), revokeToken(options)];
}

async function pageOfUser(
  options: AdminSessionsOptions,
  userId: string,
  query: { readonly limit?: number; readonly after?: string },
) {
  const limit = query.limit ?? 50;
  const found = await listSessions(
    options.database,
    userId,
    options.sessionIdle,
    query.after ?? '',
    limit + 1,
  );
  return page(
    found,
    limit,
    (session) => session.id,
    (session) => sessionAnswer(session),
  );
}

function listOfUser(options: AdminSessionsOptions): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/admin/users/:id/sessions',
    access: { permission: 'latchkey:sessions:read' },
    tag: 'Sessions',
    summary: 'The live sessions of a user, newest first',
    params: userParams,
    query: closed(pageQuery),
    responses: { 200: pageOf(sessionSchema) },
    async handle({ params, query }) {
      if ((await findUser(options.database, params.id)) === undefined)
        throw new AuthError('not_found', 'There is no such user.');
      return await pageOfUser(options, params.id, query);
    },
  });
}

function endOfUser({ sessions }: AdminSessionsOptions): AnyEndpoint {
  return endpoint({
    method: 'DELETE',
    path: '/auth/admin/users/:id/sessions',
    access: { permission: 'latchkey:sessions:write' },
    revokes: true,
    tag: 'Sessions',
    summary: 'Sign a user out everywhere',
    params: userParams,
    responses: { 204: null },
    async handle({ origin, params, reply }) {
      await sessions.endAll(params.id, reason, origin);
      reply.code(204);
    },
  });
}

function list(options: AdminSessionsOptions): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/admin/sessions',
    access: { permission: 'latchkey:sessions:read' },
    tag: 'Sessions',
    summary: 'All live sessions in no particular order; with `user_id` those of one user, newest first',
    query: closed({ ...pageQuery, user_id: Type.Optional(Type.String({ maxLength: 64 })) }),
    responses: { 200: pageOf(sessionSchema) },
    async handle({ query }) {
      if (query.user_id !== undefined) return await pageOfUser(options, query.user_id, query);
      const limit = query.limit ?? 50;
      const found = await listAllSessions(
        options.database,
        options.sessionIdle,
        query.after ?? '',
        limit + 1,
      );
      return page(
        found,
        limit,
        (session) => session.id,
        (session) => sessionAnswer(session),
      );
    },
  });
}

function end({ sessions }: AdminSessionsOptions): AnyEndpoint {
  return endpoint({
    method: 'DELETE',
    path: '/auth/admin/sessions/:sid',
    access: { permission: 'latchkey:sessions:write' },
    revokes: true,
    tag: 'Sessions',
    summary: 'End one session',
    params: closed({ sid: Type.String({ maxLength: 64 }) }),
    responses: { 204: null },
    async handle({ origin, params, reply }) {
      if (!(await sessions.end(params.sid, reason, origin)))
        throw new AuthError('not_found', 'There is no such session.');
      reply.code(204);
    },
  });
}

function revokeToken({ tokenRevocation }: AdminSessionsOptions): AnyEndpoint {
  return endpoint({
    method: 'DELETE',
    path: '/auth/admin/tokens/:jti',
    access: { permission: 'latchkey:sessions:write' },
    revokes: true,
    tag: 'Sessions',
    summary: 'Kill one access token by its jti; its session lives on',
    params: closed({ jti: Type.String({ pattern: '^[A-Za-z0-9_-]{22}$' }) }),
    responses: { 204: null },
    async handle({ origin, params, reply }) {
      await tokenRevocation.revokeId(params.jti, origin);
      reply.code(204);
    },
  });
}
