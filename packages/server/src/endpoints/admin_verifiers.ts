// GET /auth/admin/verifiers: the fleet, one row for each process of a registered verifier. Those that are gone are shown for as long
// as they may still trust what they had.
import { verifierAnswer, verifierSchema } from '../http/admin_answers.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { closed, page, pageOf, pageQuery } from '../http/schemas.ts';
import { trustTime } from '../rules/lifetimes.ts';
import { isLive, safeAt } from '../signals/fleet_member.ts';
import type { TokenLife } from '../signals/token_life.ts';
import type { Queries } from '../storage/database.ts';
import { readHead } from '../storage/signals.ts';
import { listVerifiers, type VerifierKey } from '../storage/verifiers.ts';

export interface AdminVerifiersOptions {
  readonly queries: Queries;
  readonly epoch: string;
  readonly tokenLife: Pick<TokenLife, 'longest'>;
}

/** Neither a client's id nor an instance has a dot. */
const cursorOf = ({ clientId, instance }: VerifierKey): string => `${clientId}.${instance}`;

function keyOf(cursor: string): VerifierKey {
  const [clientId = '', instance = ''] = cursor.split('.');
  return { clientId, instance };
}

export function adminVerifiersEndpoint({ queries, epoch, tokenLife }: AdminVerifiersOptions): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/admin/verifiers',
    access: { permission: 'latchkey:verifiers:read' },
    tag: 'Verifiers',
    summary: 'Registered verifiers: who is connected, and how far each has come',
    query: closed(pageQuery),
    responses: { 200: pageOf(verifierSchema) },
    async handle({ query }) {
      const limit = query.limit ?? 50;
      const { verifiers, now } = await listVerifiers(queries, keyOf(query.after ?? ''), limit + 1);
      // After the rows, so that nobody is ahead of it.
      const { seq: head } = await readHead(queries);
      const trust = trustTime(await tokenLife.longest());
      return page(verifiers, limit, cursorOf, (verifier) =>
        verifierAnswer(verifier, {
          connected: isLive(verifier, now),
          // What it said before a restore counts in numbers that are no more.
          lag: verifier.epoch === epoch && verifier.seq !== null ? head - verifier.seq : undefined,
          safeAt: safeAt(verifier, now, trust),
        }),
      );
    },
  });
}
