// `?wait=applied` on every call that revokes: the same endpoint, with the parameters, the answers and the waiting added around its
// handler. An endpoint only says that it revokes; it cannot forget the rest. Where no receipt is asked for, nothing is done.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AnyEndpoint, nothingDone } from './endpoint.ts';
import { type TSchema, Type } from './schema.ts';

const member = {
  name: Type.String({ description: 'the client’s' }),
  instance: Type.String({ description: 'one process' }),
};

export const receiptSchema = Type.Object(
  {
    seq: Type.Integer({ description: 'the change is at this number or before it' }),
    applied: Type.Array(Type.Object(member)),
    pending: Type.Array(
      Type.Object({
        ...member,
        safe_at: Type.String({
          format: 'date-time',
          description: 'when this one must have stopped trusting what it has',
        }),
      }),
    ),
  },
  { title: 'Receipt' },
);

/** A receipt for what is committed: waits `timeout` milliseconds at most, or until nobody waits for the answer any more. */
export type TakeReceipt = (request: {
  readonly timeout: number;
  readonly gone: AbortSignal;
  readonly privileged: boolean;
}) => Promise<object>;

const waitParameters = {
  wait: Type.String({
    const: 'applied',
    description: 'answer when the registered verifiers have applied it',
  }),
  timeout: Type.Integer({
    minimum: 1,
    maximum: 30,
    description: 'with `wait`: seconds to wait for them, 5 by default',
  }),
};
const defaultTimeout = 5;

/** Milliseconds that a connection may be idle beyond the time that its receipt is waited for. */
const idleMargin = 10_000;

interface RevokingCall {
  readonly query: { readonly wait?: 'applied'; readonly timeout?: number };
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** The endpoint as it is served, where it revokes. */
export function withReceipts(endpoint: AnyEndpoint, take: TakeReceipt): AnyEndpoint {
  if (endpoint.revokes !== true) return endpoint;
  const handle = endpoint.handle as (call: RevokingCall) => Promise<unknown>;
  return {
    ...endpoint,
    query: queryWith(endpoint),
    responses: responsesWith(endpoint.responses),
    async handle(call: RevokingCall) {
      const answer = await handle(call);
      if (answer === nothingDone) return undefined;
      if (call.query.wait === undefined) return answer;
      // A registered client, or somebody with an administrative permission.
      const privileged = endpoint.access !== 'public' && endpoint.access !== 'user';
      return await answerWith(answer, call, (gone, timeout) => take({ gone, timeout, privileged }));
    },
  };
}

function queryWith({ query, ignoresUnknown }: AnyEndpoint): TSchema {
  const properties = { ...(query?.properties as Record<string, TSchema> | undefined), ...waitParameters };
  // A time without anything to wait for is a mistake.
  const together = { dependencies: { timeout: ['wait'] } };
  return {
    type: 'object',
    ...query,
    additionalProperties: ignoresUnknown === true,
    properties,
    ...together,
  };
}

function responsesWith(responses: AnyEndpoint['responses']): AnyEndpoint['responses'] {
  const entries = Object.entries(responses).flatMap(([status, schema]): [string, TSchema | null][] => {
    if (status === '204')
      return [
        ['200', receiptSchema],
        ['204', null],
      ];
    if (schema === null) return [[status, { anyOf: [receiptSchema], 'x-empty': 'without `wait`' }]];
    return [[status, schemaWith(schema)]];
  });
  return Object.fromEntries(entries);
}

/** The record with its receipt is a component of its own: the record alone stays what it is everywhere else. */
function schemaWith(schema: TSchema): TSchema {
  const properties = { ...(schema.properties as Record<string, TSchema>), receipt: receiptSchema };
  return { ...schema, title: `${schema.title}AndReceipt`, properties };
}

type Take = (gone: AbortSignal, timeout: number) => Promise<object>;

async function answerWith(answer: unknown, call: RevokingCall, take: Take): Promise<unknown> {
  const { reply, request } = call;
  const receipt = await waiting(call, take).catch((error: unknown) => {
    // The change is made: its answer, a new pair of tokens perhaps, must not be lost with the receipt.
    request.log.warn({ cause: error instanceof Error ? error.message : 'unknown' }, 'no receipt');
    return undefined;
  });
  if (receipt === undefined) return answer;
  if (reply.statusCode === 204) reply.code(200);
  return typeof answer === 'object' && answer !== null ? { ...answer, receipt } : receipt;
}

/** The connection is quiet for as long as this waits: it must neither be taken for dead, nor be waited for when it is. */
async function waiting({ query, request, reply }: RevokingCall, take: Take): Promise<object> {
  const timeout = (query.timeout ?? defaultTimeout) * 1000;
  const { socket } = request.raw;
  const idle = socket.timeout ?? 0;
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  reply.raw.once('close', leave);
  if (idle > 0) socket.setTimeout(timeout + idleMargin);
  try {
    return await take(gone.signal, timeout);
  } finally {
    reply.raw.off('close', leave);
    if (idle > 0) socket.setTimeout(idle);
  }
}
