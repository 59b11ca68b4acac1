// What the administration shows: the shapes and the records as they are shown.
import type { AuditRecord } from '../storage/audit.ts';
import type { Client } from '../storage/clients.ts';
import type { Role } from '../storage/roles.ts';
import type { SigningKeyRecord } from '../storage/signing_keys.ts';
import { Type } from './schema.ts';
import { isoTime } from './schemas.ts';

const time = (description: string) => Type.String({ format: 'date-time', description });

export const roleSchema = Type.Object(
  {
    name: Type.String(),
    permissions: Type.Array(Type.String()),
    description: Type.Optional(Type.String()),
  },
  { title: 'Role' },
);

export function roleAnswer(role: Role) {
  return {
    name: role.name,
    permissions: [...role.permissions],
    ...(role.description === null ? {} : { description: role.description }),
  };
}

export const keySchema = Type.Object(
  {
    kid: Type.String(),
    alg: Type.String(),
    state: Type.String({ enum: ['next', 'current', 'previous'] }),
    created_at: time('when it was made and published'),
    activates_at: Type.Optional(time('when it may begin to sign, or began')),
    retires_at: Type.Optional(time('when it leaves the JWK Set')),
  },
  { title: 'Key' },
);

export function keyAnswer(key: SigningKeyRecord) {
  return {
    kid: key.kid,
    alg: key.alg,
    state: key.state,
    created_at: isoTime(key.createdAt),
    activates_at: isoTime(key.activatesAt),
    ...(key.retiresAt === null ? {} : { retires_at: isoTime(key.retiresAt) }),
  };
}

export const clientSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    scopes: Type.Array(Type.String()),
    audiences: Type.Array(Type.String()),
  },
  { title: 'Client' },
);

export const newClientSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    scopes: Type.Array(Type.String()),
    audiences: Type.Array(Type.String()),
    secret: Type.String({ description: 'shown this once' }),
  },
  { title: 'NewClient' },
);

export function clientAnswer(client: Pick<Client, 'id' | 'name' | 'scopes' | 'audiences'>) {
  return {
    id: client.id,
    name: client.name,
    scopes: [...client.scopes],
    audiences: [...client.audiences],
  };
}

export const auditSchema = Type.Object(
  {
    id: Type.String(),
    at: time('when'),
    actor: Type.String({ description: 'a user id, a client id, operator, system or anonymous' }),
    action: Type.String({ description: 'noun.verb' }),
    target: Type.String(),
    outcome: Type.String({ enum: ['success', 'failure'] }),
    ip: Type.String(),
    request_id: Type.String(),
    reason: Type.Optional(Type.String()),
  },
  { title: 'AuditRow' },
);

export function auditAnswer(row: AuditRecord) {
  return {
    id: row.id,
    at: isoTime(row.at),
    actor: row.actor,
    action: row.action,
    target: row.target,
    outcome: row.outcome,
    ip: row.ip,
    request_id: row.requestId,
    ...(row.reason === undefined ? {} : { reason: row.reason }),
  };
}
