// POST /auth/signals/applied: a registered verifier says how far it has come. It informs, it never grants.
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed } from '../http/schemas.ts';
import type { Fleet } from '../signals/fleet.ts';

export interface SignalsAppliedOptions {
  readonly fleet: Pick<Fleet, 'acknowledge'>;
}

export function signalsAppliedEndpoint({ fleet }: SignalsAppliedOptions): AnyEndpoint {
  return endpoint({
    method: 'POST',
    path: '/auth/signals/applied',
    access: 'client',
    tag: 'Signals',
    summary: 'A registered verifier: everything up to this number is in force here',
    body: closed({
      instance: Type.String({ pattern: '^[A-Za-z0-9_-]{8,64}$', description: 'as in Latchkey-Instance' }),
      epoch: Type.String({ maxLength: 64 }),
      seq: Type.Integer({ minimum: 0, maximum: 999_999_999_999_999 }),
      leaving: Type.Optional(Type.Boolean({ description: 'this process ends' })),
    }),
    responses: { 204: null },
    async handle({ body, caller, reply }) {
      await fleet.acknowledge(caller.client.id, body);
      reply.code(204);
    },
  });
}
