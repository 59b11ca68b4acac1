// /auth/admin/users: making, finding, changing and removing people.
import { AuthError } from '../errors.ts';
import type { UserAdmin } from '../grants/user_admin.ts';
import { userAnswer } from '../http/answers.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import {
  closed,
  emailField,
  nameField,
  page,
  pageOf,
  pageQuery,
  passwordField,
  userSchema,
} from '../http/schemas.ts';
import type { Database } from '../storage/database.ts';
import { findUser, listUsers } from '../storage/users.ts';

export interface AdminUsersOptions {
  readonly database: Database;
  readonly userAdmin: UserAdmin;
}

export const userParams = closed({ id: Type.String({ maxLength: 64 }) });

/** Names of roles, as a request lists them. */
export const rolesField = Type.Array(nameField, { maxItems: 32, uniqueItems: true });

export function adminUsersEndpoints(options: AdminUsersOptions): AnyEndpoint[] {
  return [
    list(options),
    create(options),
    read(options),
    change(options),
    remove(options),
    setRoles(options),
    setPassword(options),
  ];
}

function list({ database }: AdminUsersOptions): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/admin/users',
    access: { permission: 'latchkey:users:read' },
    tag: 'Users',
    summary: 'Users by username; `query` is the beginning of one',
    query: closed({ ...pageQuery, query: Type.Optional(Type.String({ maxLength: 64 })) }),
    responses: { 200: pageOf(userSchema) },
    async handle({ query }) {
      const limit = query.limit ?? 50;
      const prefix = (query.query ?? '').toLowerCase();
      const users = await listUsers(database, query.after ?? '', limit + 1, prefix);
      return page(users, limit, (user) => user.username, userAnswer);
    },
  });
}

function create({ userAdmin }: AdminUsersOptions): AnyEndpoint {
  return endpoint({
    method: 'POST',
    path: '/auth/admin/users',
    access: { permission: 'latchkey:users:write' },
    tag: 'Users',
    summary: 'Make a user; giving roles needs latchkey:roles:write too',
    body: closed({
      username: nameField,
      password: passwordField,
      email: Type.Optional(emailField),
      roles: Type.Optional(rolesField),
    }),
    responses: { 201: userSchema },
    async handle({ body, caller, origin, reply }) {
      const user = await userAdmin.create({ ...body, roles: body.roles ?? [] }, caller, origin);
      reply.code(201);
      return userAnswer(user);
    },
  });
}

function read({ database }: AdminUsersOptions): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/admin/users/:id',
    access: { permission: 'latchkey:users:read' },
    tag: 'Users',
    summary: 'One user',
    params: userParams,
    responses: { 200: userSchema },
    async handle({ params }) {
      const user = await findUser(database, params.id);
      if (user === undefined) throw new AuthError('not_found', 'There is no such user.');
      return userAnswer(user);
    },
  });
}

function change({ userAdmin }: AdminUsersOptions): AnyEndpoint {
  return endpoint({
    method: 'PATCH',
    path: '/auth/admin/users/:id',
    access: { permission: 'latchkey:users:write' },
    revokes: true,
    tag: 'Users',
    summary: 'Change name or e-mail address, disable (every session ends at once) or enable',
    params: userParams,
    body: closed({
      username: Type.Optional(nameField),
      email: Type.Optional(Type.Union([emailField, Type.Null()])),
      disabled: Type.Optional(Type.Boolean()),
    }),
    responses: { 200: userSchema },
    async handle({ body, caller, origin, params }) {
      return userAnswer(await userAdmin.update(params.id, body, caller, origin));
    },
  });
}

function remove({ userAdmin }: AdminUsersOptions): AnyEndpoint {
  return endpoint({
    method: 'DELETE',
    path: '/auth/admin/users/:id',
    access: { permission: 'latchkey:users:write' },
    revokes: true,
    tag: 'Users',
    summary: 'Remove a user; every session ends at once',
    params: userParams,
    responses: { 204: null },
    async handle({ caller, origin, params, reply }) {
      await userAdmin.remove(params.id, caller, origin);
      reply.code(204);
    },
  });
}

function setRoles({ userAdmin }: AdminUsersOptions): AnyEndpoint {
  return endpoint({
    method: 'PUT',
    path: '/auth/admin/users/:id/roles',
    access: { permission: 'latchkey:roles:write' },
    revokes: true,
    tag: 'Users',
    summary: 'Replace the roles; running tokens become stale and are refreshed',
    params: userParams,
    body: closed({ roles: rolesField }),
    responses: { 200: userSchema },
    async handle({ body, caller, origin, params }) {
      return userAnswer(await userAdmin.setRoles(params.id, body.roles, caller, origin));
    },
  });
}

function setPassword({ userAdmin }: AdminUsersOptions): AnyEndpoint {
  return endpoint({
    method: 'PUT',
    path: '/auth/admin/users/:id/password',
    access: { permission: 'latchkey:users:write' },
    revokes: true,
    tag: 'Users',
    summary: 'Set a new password; every session of the user ends at once',
    params: userParams,
    body: closed({ password: passwordField }),
    responses: { 204: null },
    async handle({ body, caller, origin, params, reply }) {
      await userAdmin.setPassword(params.id, body.password, caller, origin);
      reply.code(204);
    },
  });
}
