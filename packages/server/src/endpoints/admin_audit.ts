// GET /auth/admin/audit: who did what, newest first.
import { auditAnswer, auditSchema } from '../http/admin_answers.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed, page, pageOf, pageQuery } from '../http/schemas.ts';
import { listAudit } from '../storage/audit.ts';
import type { Database } from '../storage/database.ts';

const filterField = Type.Optional(Type.String({ maxLength: 254 }));

export function adminAuditEndpoint(database: Database): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/admin/audit',
    access: { permission: 'latchkey:audit:read' },
    tag: 'Audit',
    summary: 'The audit trail, newest first',
    query: closed({ ...pageQuery, actor: filterField, target: filterField, action: filterField }),
    responses: { 200: pageOf(auditSchema) },
    async handle({ query }) {
      const { limit = 50, after = '', ...filter } = query;
      const rows = await listAudit(database, filter, after, limit + 1);
      return page(rows, limit, (row) => row.id, auditAnswer);
    },
  });
}
