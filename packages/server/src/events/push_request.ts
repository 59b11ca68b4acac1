// One event pushed to its receiver (RFC 8935): a POST whose answer says whether it was taken. 202 alone means that it was: a page
// that some proxy answers with 200 must not swallow a revocation. Redirects are not followed, little of the answer is read, and
// the whole exchange has a few seconds.
import type { Agent, IncomingMessage } from 'node:http';
import { deliveryError, isFinal } from './delivery_errors.ts';
import { type AddressPolicy, AddressRefused } from './receiver_address.ts';

export type PushOutcome =
  | { readonly kind: 'taken' }
  /** The receiver can never take this one. */
  | { readonly kind: 'refused'; readonly error: string }
  /** Worth trying again; `error` is from a closed set, but for the number of a status. */
  | { readonly kind: 'failed'; readonly error: string };

export interface PushRequest {
  readonly endpoint: string;
  readonly authorization: string | undefined;
  readonly token: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly addresses: AddressPolicy;
  /** One connection for the events that follow one another: its address was looked at when it was made. */
  readonly agent: Agent;
  /** Aborts it: the server ends. */
  readonly signal: AbortSignal;
}

/** Bytes of an answer that are read. */
const maxAnswer = 4096;

export async function pushEvent(request: PushRequest): Promise<PushOutcome> {
  const timeout = AbortSignal.timeout(request.timeout);
  try {
    return await exchange(request, AbortSignal.any([timeout, request.signal]));
  } catch (error) {
    if (error instanceof AddressRefused) return { kind: 'failed', error: 'address_refused' };
    return { kind: 'failed', error: timeout.aborted ? 'timeout' : 'unreachable' };
  }
}

function exchange(request: PushRequest, signal: AbortSignal): Promise<PushOutcome> {
  const endpoint = new URL(request.endpoint);
  request.addresses.check(endpoint);
  const send = process.getBuiltinModule(endpoint.protocol === 'https:' ? 'node:https' : 'node:http').request;
  const { promise, resolve, reject } = Promise.withResolvers<PushOutcome>();
  const call = send(endpoint, {
    method: 'POST',
    agent: request.agent,
    lookup: request.addresses.lookupFor(endpoint),
    signal,
    headers: {
      accept: 'application/json',
      'content-type': 'application/secevent+jwt',
      'content-length': Buffer.byteLength(request.token),
      ...(request.authorization === undefined ? {} : { authorization: request.authorization }),
    },
  });
  call.on('error', reject);
  call.on('upgrade', (_response, socket) => {
    socket.destroy();
    reject(new Error('the receiver changed the protocol'));
  });
  call.on('response', (response) => outcomeOf(response).then(resolve, reject));
  call.end(request.token);
  return promise;
}

export function createPushAgent(endpoint: string): Agent {
  const name = new URL(endpoint).protocol === 'https:' ? 'node:https' : 'node:http';
  return new (process.getBuiltinModule(name).Agent)({ keepAlive: true, maxSockets: 1 });
}

async function outcomeOf(response: IncomingMessage): Promise<PushOutcome> {
  const body = await readSome(response);
  if (response.statusCode === 202) return { kind: 'taken' };
  if (response.statusCode !== 400) return { kind: 'failed', error: `status_${response.statusCode}` };
  const error = errorIn(body);
  return { kind: isFinal(error) ? 'refused' : 'failed', error };
}

/** Empty when it is longer than anything that we read: the connection is given up then. */
async function readSome(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxAnswer) return '';
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** RFC 8935 §2.3: `{"err", "description"}`; the description is a stranger's text and stays outside. */
function errorIn(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    return deliveryError((body as { err?: unknown } | null)?.err);
  } catch {
    return deliveryError(undefined);
  }
}
