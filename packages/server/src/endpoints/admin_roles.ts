// /auth/admin/roles: what each role permits.
import { AuthError } from '../errors.ts';
import type { RoleAdmin } from '../grants/role_admin.ts';
import { roleAnswer, roleSchema } from '../http/admin_answers.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed, nameField, page, pageOf, pageQuery } from '../http/schemas.ts';
import type { Database } from '../storage/database.ts';
import { findRole, listRoles } from '../storage/roles.ts';

export interface AdminRolesOptions {
  readonly database: Database;
  readonly roleAdmin: RoleAdmin;
}

const permissionsField = Type.Array(nameField, { maxItems: 200, uniqueItems: true });
const descriptionField = Type.String({ maxLength: 200 });
const roleParams = closed({ name: Type.String({ maxLength: 64 }) });

export function adminRolesEndpoints(options: AdminRolesOptions): AnyEndpoint[] {
  return [list(options), create(options), read(options), change(options), remove(options)];
}

function list({ database }: AdminRolesOptions): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/admin/roles',
    access: { permission: 'latchkey:roles:read' },
    tag: 'Roles',
    summary: 'Roles by name',
    query: closed(pageQuery),
    responses: { 200: pageOf(roleSchema) },
    async handle({ query }) {
      const limit = query.limit ?? 50;
      const roles = await listRoles(database, query.after ?? '', limit + 1);
      return page(roles, limit, (role) => role.name, roleAnswer);
    },
  });
}

function create({ roleAdmin }: AdminRolesOptions): AnyEndpoint {
  return endpoint({
    method: 'POST',
    path: '/auth/admin/roles',
    access: { permission: 'latchkey:roles:write' },
    tag: 'Roles',
    summary: 'Make a role',
    body: closed({
      name: nameField,
      permissions: permissionsField,
      description: Type.Optional(descriptionField),
    }),
    responses: { 201: roleSchema },
    async handle({ body, caller, origin, reply }) {
      const role = await roleAdmin.create(body, caller, origin);
      reply.code(201);
      return roleAnswer(role);
    },
  });
}

function read({ database }: AdminRolesOptions): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/admin/roles/:name',
    access: { permission: 'latchkey:roles:read' },
    tag: 'Roles',
    summary: 'One role',
    params: roleParams,
    responses: { 200: roleSchema },
    async handle({ params }) {
      const role = await findRole(database, params.name);
      if (role === undefined) throw new AuthError('not_found', 'There is no such role.');
      return roleAnswer(role);
    },
  });
}

function change({ roleAdmin }: AdminRolesOptions): AnyEndpoint {
  return endpoint({
    method: 'PATCH',
    path: '/auth/admin/roles/:name',
    access: { permission: 'latchkey:roles:write' },
    revokes: true,
    tag: 'Roles',
    summary:
      'Replace permissions or description. Tokens of holders become stale when a permission is lost; with `refresh=true` also otherwise',
    params: roleParams,
    query: closed({ refresh: Type.Optional(Type.Literal('true')) }),
    body: closed({
      permissions: Type.Optional(permissionsField),
      description: Type.Optional(Type.Union([descriptionField, Type.Null()])),
    }),
    responses: { 200: roleSchema },
    async handle({ body, caller, origin, params, query }) {
      const changes = { ...body, refresh: query.refresh === 'true' };
      return roleAnswer(await roleAdmin.update(params.name, changes, caller, origin));
    },
  });
}

function remove({ roleAdmin }: AdminRolesOptions): AnyEndpoint {
  return endpoint({
    method: 'DELETE',
    path: '/auth/admin/roles/:name',
    access: { permission: 'latchkey:roles:write' },
    revokes: true,
    tag: 'Roles',
    summary: 'Remove a role and take it from everybody who holds it',
    params: roleParams,
    responses: { 204: null },
    async handle({ caller, origin, params, reply }) {
      await roleAdmin.remove(params.name, caller, origin);
      reply.code(204);
    },
  });
}
