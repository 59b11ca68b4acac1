// /auth/admin/receivers: the clients that are told of security events, and how delivery to each of them stands. The words are those
// of a stream in the Shared Signals Framework. The Authorization value for pushing goes in and never comes out.

import { AuthError } from '../errors.ts';
import { type EventType, eventTypes, isEventType } from '../events/caep.ts';
import type { ReceiverAdmin } from '../events/receiver_admin.ts';
import { type AnyEndpoint, endpoint } from '../http/endpoint.ts';
import { Type } from '../http/schema.ts';
import { closed, isoTime, page, pageOf, pageQuery } from '../http/schemas.ts';
import type { Database } from '../storage/database.ts';
import { findReceiver, listReceivers, type Receiver } from '../storage/receivers.ts';
import { deliveryMethods } from './events.ts';

export interface AdminReceiversOptions {
  readonly database: Database;
  readonly issuer: string;
  readonly receiverAdmin: ReceiverAdmin;
}

const methodField = Type.String({ enum: Object.values(deliveryMethods) });
const typesByUri = new Map(
  Object.entries(eventTypes).map(([name, uri]) => [uri as string, name as EventType]),
);
const eventsField = (keywords = {}) => Type.Array(Type.String({ enum: [...typesByUri.keys()] }), keywords);
const params = closed({ client_id: Type.String({ maxLength: 64 }) });

const receiverSchema = Type.Object(
  {
    client_id: Type.String(),
    delivery: Type.Object({
      method: methodField,
      endpoint_url: Type.String(),
      authorization: Type.Boolean({ description: 'whether a header is sent with every push' }),
    }),
    events_requested: eventsField(),
    status: Type.String({ enum: ['enabled', 'paused'], description: 'paused: pushing has been given up' }),
    waiting: Type.Integer({ description: 'events that it has not taken yet' }),
    lost: Type.Integer({ description: 'events that had to go before it took them' }),
    failures: Type.Integer({ description: 'in a row' }),
    last_error: Type.Optional(Type.String()),
    next_attempt_at: Type.Optional(Type.String({ format: 'date-time' })),
    created_at: Type.String({ format: 'date-time' }),
  },
  { title: 'Receiver' },
);

export function adminReceiversEndpoints(options: AdminReceiversOptions): AnyEndpoint[] {
  return [list(options), save(options), show(options), remove(options)];
}

function receiverAnswer(receiver: Receiver, issuer: string) {
  const { endpoint: address, events, lastError, nextAttemptAt, paused } = receiver;
  return {
    client_id: receiver.clientId,
    delivery: {
      method: deliveryMethods[receiver.delivery],
      endpoint_url: address ?? `${issuer}/events/poll`,
      authorization: receiver.authorization !== null,
    },
    events_requested: events.filter(isEventType).map((type) => eventTypes[type]),
    status: paused ? 'paused' : 'enabled',
    waiting: receiver.waiting,
    lost: receiver.lost,
    failures: receiver.failures,
    ...(lastError === null ? {} : { last_error: lastError }),
    ...(nextAttemptAt === 0 || paused ? {} : { next_attempt_at: isoTime(nextAttemptAt) }),
    created_at: isoTime(receiver.createdAt),
  };
}

function list({ database, issuer }: AdminReceiversOptions): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/admin/receivers',
    access: { permission: 'latchkey:clients:read' },
    tag: 'Security events',
    summary: 'Receivers of security events by client',
    query: closed(pageQuery),
    responses: { 200: pageOf(receiverSchema) },
    async handle({ query }) {
      const limit = query.limit ?? 50;
      const found = await listReceivers(database, query.after ?? '', limit + 1);
      return page(
        found,
        limit,
        (receiver) => receiver.clientId,
        (receiver) => receiverAnswer(receiver, issuer),
      );
    },
  });
}

const saveBody = closed({
  client_id: Type.String({ maxLength: 64 }),
  delivery: closed({
    method: methodField,
    endpoint_url: Type.Optional(Type.String({ minLength: 1, maxLength: 2048 })),
    authorization_header: Type.Optional(Type.String({ pattern: '^[\\x20-\\x7e]{1,1024}$' })),
  }),
  events_requested: Type.Optional(eventsField({ minItems: 1, uniqueItems: true })),
});

function save({ issuer, receiverAdmin }: AdminReceiversOptions): AnyEndpoint {
  return endpoint({
    method: 'POST',
    path: '/auth/admin/receivers',
    access: { permission: 'latchkey:clients:write' },
    tag: 'Security events',
    summary:
      'Tell a client of security events, or change how; what waits for it stays, and a paused one goes on',
    body: saveBody,
    responses: { 200: receiverSchema, 201: receiverSchema },
    async handle({ body, caller, origin, reply }) {
      const { delivery } = body;
      const wanted = body.events_requested ?? [...typesByUri.keys()];
      const request = {
        clientId: body.client_id,
        delivery: delivery.method === deliveryMethods.push ? ('push' as const) : ('poll' as const),
        endpoint: delivery.endpoint_url,
        authorization: delivery.authorization_header,
        events: wanted.flatMap((uri) => typesByUri.get(uri) ?? []),
      };
      const { receiver, isNew } = await receiverAdmin.save(request, caller, origin);
      reply.code(isNew ? 201 : 200);
      return receiverAnswer(receiver, issuer);
    },
  });
}

function show({ database, issuer }: AdminReceiversOptions): AnyEndpoint {
  return endpoint({
    method: 'GET',
    path: '/auth/admin/receivers/:client_id',
    access: { permission: 'latchkey:clients:read' },
    tag: 'Security events',
    summary: 'One receiver',
    params,
    responses: { 200: receiverSchema },
    async handle({ params: { client_id: clientId } }) {
      const receiver = await findReceiver(database, clientId);
      if (receiver === undefined) throw new AuthError('not_found', 'There is no such receiver.');
      return receiverAnswer(receiver, issuer);
    },
  });
}

function remove({ receiverAdmin }: AdminReceiversOptions): AnyEndpoint {
  return endpoint({
    method: 'DELETE',
    path: '/auth/admin/receivers/:client_id',
    access: { permission: 'latchkey:clients:write' },
    tag: 'Security events',
    summary: 'Tell a client no more; what waits for it goes too',
    params,
    responses: { 204: null },
    async handle({ caller, origin, params: { client_id: clientId }, reply }) {
      await receiverAdmin.remove(clientId, caller, origin);
      reply.code(204);
    },
  });
}
