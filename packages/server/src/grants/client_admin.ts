// Registered clients: made with a secret that is shown once, and removed with everything that was issued through them.
import { randomBytes } from 'node:crypto';
import { AuthError } from '../errors.ts';
import type { SignalPublisher } from '../signals/publisher.ts';
import { insertAudit, type Origin } from '../storage/audit.ts';
import { type Client, deleteClient, hashClientSecret, insertClient } from '../storage/clients.ts';
import type { Database } from '../storage/database.ts';
import { deleteReceiver } from '../storage/receivers.ts';
import { endSessionsOfClient } from '../storage/sessions.ts';
import { type Administrator, authorityIn } from './authority.ts';
import { newClientId } from './user_ids.ts';

export type NewClient = Pick<Client, 'id' | 'name' | 'scopes' | 'audiences'> & {
  /** `cls_` and 256 random bits: shown once, kept as a hash. */
  readonly secret: string;
};

export interface ClientAdmin {
  create(
    request: Pick<Client, 'name' | 'scopes' | 'audiences'>,
    by: Administrator,
    origin: Origin,
  ): Promise<NewClient>;
  /** Ends every session that began through this client and kills its tokens. Throws AuthError `not_found`. */
  remove(clientId: string, by: Administrator, origin: Origin): Promise<void>;
}

export interface ClientAdminOptions {
  readonly database: Database;
  readonly signals: SignalPublisher;
  readonly issuer: string;
}

export function createClientAdmin({ database, signals, issuer }: ClientAdminOptions): ClientAdmin {
  return {
    async create(request, by, origin) {
      // Tokens for the administration are issued to our own client alone, whoever asks.
      if (request.audiences.includes(issuer))
        throw new AuthError(
          'invalid_request',
          'A client cannot be registered for the administration itself.',
        );
      const id = newClientId();
      const secret = `cls_${randomBytes(32).toString('base64url')}`;
      const client = { id, name: request.name, scopes: request.scopes, audiences: request.audiences };
      await database.write(async (tx) => {
        await authorityIn(tx, by, 'latchkey:clients:write');
        await insertClient(tx, { ...client, secretHash: hashClientSecret(secret) });
        await insertAudit(tx, origin, { action: 'client.create', target: id, outcome: 'success' });
      });
      return { ...client, secret };
    },

    async remove(clientId, by, origin) {
      await database.write(async (tx) => {
        await authorityIn(tx, by, 'latchkey:clients:write');
        await endSessionsOfClient(tx, clientId, 'client_deleted');
        await insertAudit(tx, origin, { action: 'client.delete', target: clientId, outcome: 'success' });
        await signals.mark(tx, { kind: 'revoke', by: 'client', value: clientId });
        // After the mark: whoever writes a mark takes its lock first, and then that of every receiver.
        await deleteReceiver(tx, clientId);
        if (!(await deleteClient(tx, clientId))) throw new AuthError('not_found', 'There is no such client.');
      });
    },
  };
}
