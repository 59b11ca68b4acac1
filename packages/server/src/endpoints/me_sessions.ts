// /auth/me/sessions: a person's devices.

import { AuthError } from '../errors.ts';
import type { SessionEnder } from '../grants/sessions.ts';
import { sessionAnswer } from '../http/answers.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed, page, pageOf, pageQuery, sessionSchema } from '../http/schemas.ts';
import type { Database } from '../storage/database.ts';
import { listSessions } from '../storage/sessions.ts';

export interface MeSessionsOptions {
  readonly database: Database;
  readonly sessions: SessionEnder;
  /** Milliseconds. */
  readonly sessionIdle: number;
}

export function meSessionsEndpoints(options: MeSessionsOptions): AnyEndpoint[] {
  return [listMine(options), endMine(options)];
}

function listMine({ database, sessionIdle }: MeSessionsOptions): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/me/sessions',
    access: 'user',
    tag: 'Me',
    summary: 'My devices: every live session of mine, newest first',
    query: closed(pageQuery),
    responses: { 200: pageOf(sessionSchema) },
    async handle({ caller, query }) {
      const limit = query.limit ?? 50;
      const sessions = await listSessions(database, caller.userId, sessionIdle, query.after ?? '', limit + 1);
      return page(
        sessions,
        limit,
        (session) => session.id,
        (session) => sessionAnswer(session, caller.sessionId),
      );
    },
  });
}

function endMine({ sessions }: MeSessionsOptions): AnyEndpoint {
  return endpoint({
    method: 'DELETE',
    path: '/auth/me/sessions/:sid',
    access: 'user',
    revokes: true,
    tag: 'Me',
    summary: 'Sign one of my devices out',
    params: closed({ sid: Type.String({ maxLength: 64 }) }),
    responses: { 204: null },
    async handle({ caller, params, origin, reply }) {
      const ended = await sessions.end(params.sid, 'ended_by_user', origin, caller.userId);
      if (!ended) throw new AuthError('not_found', 'There is no such session.');
      reply.code(204);
    },
  });
}
