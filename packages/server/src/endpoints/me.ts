// /auth/me: what a person may see and change about themselves.

import { AuthError } from '../errors.ts';
import { userAnswer } from '../http/answers.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed, userSchema } from '../http/schemas.ts';
import { foldEmail } from '../rules/names.ts';
import { insertAudit } from '../storage/audit.ts';
import { type Database, UniqueViolation } from '../storage/database.ts';
import { findUser, updateUser } from '../storage/users.ts';

export function meEndpoints(database: Database): AnyEndpoint[] {
  return [readMe(database), changeMe(database)];
}

async function found(database: Database, userId: string) {
  const user = await findUser(database, userId);
  if (user === undefined) throw new AuthError('not_found', 'There is no such user.');
  return userAnswer(user);
}

function readMe(database: Database): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/me',
    access: 'user',
    tag: 'Me',
    summary: 'Who I am, as it is now',
    responses: { 200: userSchema },
    handle: async ({ caller }) => await found(database, caller.userId),
  });
}

function changeMe(database: Database): AnyEndpoint {
  return endpoint({
    method: 'PATCH',
    path: '/auth/me',
    access: 'user',
    tag: 'Me',
    summary: 'Change my e-mail address',
    body: closed({ email: Type.Optional(Type.Union([Type.String({ maxLength: 254 }), Type.Null()])) }),
    responses: { 200: userSchema },
    async handle({ body, caller, origin }) {
      const email = typeof body.email === 'string' ? foldEmail(body.email) : body.email;
      if (typeof body.email === 'string' && email === undefined)
        throw new AuthError('invalid_request', 'The e-mail address is not valid.');
      if (email === undefined) return await found(database, caller.userId);
      try {
        await database.write(async (tx) => {
          await updateUser(tx, caller.userId, { email });
          await insertAudit(tx, origin, { action: 'user.update', target: caller.userId, outcome: 'success' });
        });
      } catch (error) {
        if (error instanceof UniqueViolation)
          throw new AuthError('conflict', 'This e-mail address is in use.');
        throw error;
      }
      return await found(database, caller.userId);
    },
  });
}
