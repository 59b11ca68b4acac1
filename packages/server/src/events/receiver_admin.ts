// Who is told of security events, how, and of which: each change and its audit row are one transaction. An Authorization value for
// pushing is kept as ciphertext and never shown again.
import { randomBytes } from 'node:crypto';
import { AuthError } from '../errors.ts';
import { type Administrator, authorityIn } from '../grants/authority.ts';
import type { MasterKey } from '../keys/master_key.ts';
import { insertAudit, type Origin } from '../storage/audit.ts';
import { findClient } from '../storage/clients.ts';
import type { Database, Transaction } from '../storage/database.ts';
import {
  type Delivery,
  deleteReceiver,
  findReceiver,
  insertReceiver,
  type Receiver,
  type ReceiverSettings,
  updateReceiver,
} from '../storage/receivers.ts';
import type { EventType } from './caep.ts';
import { authorizationId } from './pusher.ts';
import { type AddressPolicy, AddressRefused } from './receiver_address.ts';

export interface ReceiverRequest {
  readonly clientId: string;
  readonly delivery: Delivery;
  /** Where to push. */
  readonly endpoint?: string | undefined;
  /** Sent with every push, as it is. */
  readonly authorization?: string | undefined;
  readonly events: readonly EventType[];
}

export interface ReceiverAdmin {
  /**
   * Registers a receiver, or changes one: what waits for it stays, and pushing begins afresh. Throws AuthError `not_found`,
   * `invalid_request`, `conflict`.
   */
  save(
    request: ReceiverRequest,
    by: Administrator,
    origin: Origin,
  ): Promise<{ readonly receiver: Receiver; readonly isNew: boolean }>;
  /** Everything that waits for it goes too. Throws AuthError `not_found`. */
  remove(clientId: string, by: Administrator, origin: Origin): Promise<void>;
}

export interface ReceiverAdminOptions {
  readonly database: Database;
  readonly masterKey: MasterKey;
  readonly addresses: AddressPolicy;
  /** Called after each change. */
  readonly changed: () => Promise<void>;
}

/** Each of them is written to with every change. */
const mostReceivers = 100;

export function createReceiverAdmin(options: ReceiverAdminOptions): ReceiverAdmin {
  const { database, masterKey } = options;

  function settingsOf({ authorization, endpoint, ...request }: ReceiverRequest): ReceiverSettings {
    const { clientId, delivery, events } = request;
    if (delivery === 'poll') {
      if (endpoint !== undefined || authorization !== undefined)
        throw new AuthError('invalid_request', 'A receiver that polls has no address and no header.');
      return { clientId, delivery, events, endpoint: null, authorization: null };
    }
    if (endpoint === undefined || !URL.canParse(endpoint))
      throw new AuthError('invalid_request', 'To be pushed to, a receiver needs an absolute endpoint_url.');
    try {
      options.addresses.check(new URL(endpoint));
    } catch (error) {
      if (error instanceof AddressRefused) throw new AuthError('invalid_request', error.message);
      throw error;
    }
    const wrapped = authorization && masterKey.wrap(Buffer.from(authorization), authorizationId(clientId));
    return { clientId, delivery, events, endpoint: new URL(endpoint).href, authorization: wrapped ?? null };
  }

  async function write(tx: Transaction, settings: ReceiverSettings, origin: Origin): Promise<boolean> {
    const target = settings.clientId;
    if ((await findClient(tx, target)) === undefined)
      throw new AuthError('not_found', 'There is no such client.');
    const isNew = !(await updateReceiver(tx, settings));
    const tag = randomBytes(6).toString('base64url');
    if (isNew && !(await insertReceiver(tx, settings, tag, mostReceivers)))
      throw new AuthError('conflict', `There are ${mostReceivers} receivers already.`);
    const action = isNew ? 'receiver.create' : 'receiver.update';
    await insertAudit(tx, origin, { action, target, outcome: 'success' });
    return isNew;
  }

  return {
    async save(request, by, origin) {
      const settings = settingsOf(request);
      const isNew = await database.write(async (tx) => {
        await authorityIn(tx, by, 'latchkey:clients:write');
        return await write(tx, settings, origin);
      });
      await options.changed();
      const receiver = await findReceiver(database, request.clientId);
      if (receiver === undefined) throw new AuthError('conflict', 'The receiver was removed in this moment.');
      return { receiver, isNew };
    },

    async remove(clientId, by, origin) {
      await database.write(async (tx) => {
        await authorityIn(tx, by, 'latchkey:clients:write');
        if (!(await deleteReceiver(tx, clientId)))
          throw new AuthError('not_found', 'There is no such receiver.');
        await insertAudit(tx, origin, { action: 'receiver.delete', target: clientId, outcome: 'success' });
      });
      await options.changed();
    },
  };
}
