// /auth/admin/clients: back ends that revoke, introspect, or sign people in under their own name.
import type { ClientAdmin } from '../grants/client_admin.ts';
import { clientAnswer, clientSchema, newClientSchema } from '../http/admin_answers.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed, page, pageOf, pageQuery } from '../http/schemas.ts';
import { listClients } from '../storage/clients.ts';
import type { Database } from '../storage/database.ts';

export interface AdminClientsOptions {
  readonly database: Database;
  readonly clientAdmin: ClientAdmin;
}

/** `introspection`: may introspect. `revocation`: may revoke other clients' tokens too. */
const scopesField = Type.Array(Type.String({ enum: ['introspection', 'revocation'] }), { uniqueItems: true });
const audiencesField = Type.Array(Type.String({ pattern: '^[\\x21-\\x7e]{1,256}$' }), {
  maxItems: 16,
  uniqueItems: true,
});

export function adminClientsEndpoints(options: AdminClientsOptions): AnyEndpoint[] {
  return [list(options), create(options), remove(options)];
}

function list({ database }: AdminClientsOptions): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/admin/clients',
    access: { permission: 'latchkey:clients:read' },
    tag: 'Clients',
    summary: 'Registered clients by id',
    query: closed(pageQuery),
    responses: { 200: pageOf(clientSchema) },
    async handle({ query }) {
      const limit = query.limit ?? 50;
      const clients = await listClients(database, query.after ?? '', limit + 1);
      return page(clients, limit, (client) => client.id, clientAnswer);
    },
  });
}

function create({ clientAdmin }: AdminClientsOptions): AnyEndpoint {
  return endpoint({
    method: 'POST',
    path: '/auth/admin/clients',
    access: { permission: 'latchkey:clients:write' },
    tag: 'Clients',
    summary: 'Register a client; its secret is in this answer and nowhere else',
    body: closed({
      name: Type.String({ pattern: '^[^\\p{C}]{1,64}$' }),
      scopes: Type.Optional(scopesField),
      audiences: Type.Optional(audiencesField),
    }),
    responses: { 201: newClientSchema },
    async handle({ body, caller, origin, reply }) {
      const request = { name: body.name, scopes: body.scopes ?? [], audiences: body.audiences ?? [] };
      const client = await clientAdmin.create(request, caller, origin);
      reply.code(201);
      return { ...clientAnswer(client), secret: client.secret };
    },
  });
}

function remove({ clientAdmin }: AdminClientsOptions): AnyEndpoint {
  return endpoint({
    method: 'DELETE',
    path: '/auth/admin/clients/:id',
    access: { permission: 'latchkey:clients:write' },
    revokes: true,
    tag: 'Clients',
    summary: 'Remove a client; every session that began through it ends',
    params: closed({ id: Type.String({ maxLength: 64 }) }),
    responses: { 204: null },
    async handle({ caller, origin, params, reply }) {
      await clientAdmin.remove(params.id, caller, origin);
      reply.code(204);
    },
  });
}
