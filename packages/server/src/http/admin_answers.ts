// What the administration shows: the shapes and the records as they are shown.
import type { AuditRecord } from '../storage/audit.ts';
import type { Client } from '../storage/clients.ts';
import type { Role } from '../storage/roles.ts';
import type { SigningKeyRecord } from '../storage/signing_keys.ts';
import type { VerifierRecord } from '../storage/verifiers.ts';
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

export const verifierSchema = Type.Object(
  {
    name: Type.String({ description: 'the client’s' }),
    client_id: Type.String(),
    instance: Type.String({ description: 'one process' }),
    version: Type.String({ description: 'what it says of itself' }),
    connected: Type.Boolean({ description: 'its stream is open, and it was heard of in the last minute' }),
    connected_at: time('when its stream was last opened'),
    seen_at: time('when it last connected or acknowledged'),
    epoch: Type.Optional(Type.String({ description: 'absent before its first acknowledgement' })),
    seq: Type.Optional(Type.Integer({ description: 'everything up to here is in force there' })),
    lag: Type.Optional(Type.Integer({ description: 'signals that it has not yet acknowledged' })),
    safe_at: time('when it must have stopped trusting what it has, if it heard nothing more'),
  },
  { title: 'Verifier' },
);

export function verifierAnswer(
  verifier: VerifierRecord,
  now: { readonly connected: boolean; readonly lag: number | undefined; readonly safeAt: number },
) {
  const { epoch, seq } = verifier;
  return {
    name: verifier.name,
    client_id: verifier.clientId,
    instance: verifier.instance,
    version: verifier.version,
    connected: now.connected,
    connected_at: isoTime(verifier.connectedAt),
    seen_at: isoTime(verifier.seenAt),
    ...(epoch === null || seq === null ? {} : { epoch, seq }),
    ...(now.lag === undefined ? {} : { lag: now.lag }),
    safe_at: isoTime(now.safeAt),
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
