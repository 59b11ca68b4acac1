// Which client asks, and which audience it may ask tokens for (RFC 8707). `latchkey` is the built-in public client; any
// other is registered and proves itself with its credential.
import { AuthError } from '../errors.ts';
import { type Client, findClient } from '../storage/clients.ts';
import type { Queries } from '../storage/database.ts';

export const builtInClient = 'latchkey';

export interface Audiences {
  /** The client that this request speaks for. Throws `invalid_client` when it names one without proving it. */
  clientFor(named: string | undefined, proved: Client | undefined): string;
  defaultFor(client: Client | undefined): string;
  /** Throws `invalid_target`. */
  check(clientId: string, audience: string): Promise<void>;
}

export interface AudienceOptions {
  readonly queries: Queries;
  readonly issuer: string;
  readonly audience: string;
}

export function createAudiences(options: AudienceOptions): Audiences {
  return {
    clientFor(named, proved) {
      const clientId = proved?.id ?? builtInClient;
      if (named !== undefined && named !== clientId) {
        throw new AuthError(
          'invalid_client',
          'A registered client must prove itself with its credential (HTTP Basic).',
        );
      }
      return clientId;
    },
    defaultFor: (client) => client?.audiences[0] ?? options.audience,
    async check(clientId, audience) {
      if (clientId === builtInClient) {
        if (audience === options.audience || audience === options.issuer) return;
      } else if (
        (await findClient(options.queries, clientId))?.audiences.includes(audience) ||
        audience === options.audience
      ) {
        return;
      }
      throw new AuthError('invalid_target', 'This client may not ask for tokens for this audience.');
    },
  };
}
