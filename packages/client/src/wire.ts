// The three answers of the auth server that the client must understand: tokens, nothing, or a refusal. Everything that
// is read from the network is checked here once, so that the rest of the client works with known shapes.
import { ClientError } from './client_error.ts';

/** The answer of login and token (RFC 6749 §5.1). In cookie mode `refresh_token` is absent: the browser keeps it. */
export interface TokenAnswer {
  readonly access_token: string;
  /** Seconds. */
  readonly expires_in: number;
  readonly refresh_token?: string;
  /** False: the refresh token stays as it is. */
  readonly rotated?: boolean;
}

export interface Wire {
  /** Sends one call; every call ends within the time limit. @throws ClientError for anything but a 2xx */
  post(
    path: string,
    init: { headers?: Record<string, string>; body?: string | URLSearchParams },
  ): Promise<Response>;
}

export interface WireOptions {
  readonly base: URL;
  /** Milliseconds for one call, answer included. */
  readonly timeLimit: number;
  readonly fetch: typeof fetch;
}

export function createWire({ base, timeLimit, fetch }: WireOptions): Wire {
  const sameOrigin = globalThis.location?.origin === base.origin;
  return {
    async post(path, { headers, body }) {
      let response: Response;
      try {
        response = await fetch(new URL(path, base), {
          method: 'POST',
          // A header that another site's form cannot send: the server's proof that our own script is calling.
          headers: { accept: 'application/json', 'x-latchkey': '1', ...headers },
          credentials: sameOrigin ? 'same-origin' : 'include',
          cache: 'no-store',
          redirect: 'error',
          signal: AbortSignal.timeout(timeLimit),
          ...(body === undefined ? {} : { body }),
        });
      } catch (cause) {
        throw new ClientError('unavailable', `no answer from ${path}`, { cause });
      }
      if (!response.ok) throw await errorOf(response, path);
      return response;
    },
  };
}

export async function readTokens(response: Response): Promise<TokenAnswer> {
  let answer: unknown;
  try {
    answer = await response.json();
  } catch (cause) {
    // Cut off half-way: the same as no answer, so that the caller keeps its Idempotency-Key and asks again.
    throw new ClientError('unavailable', 'the answer with the tokens broke off', { cause });
  }
  if (!isTokenAnswer(answer))
    throw new ClientError('bad_answer', 'the answer holds no tokens', { status: response.status });
  return answer;
}

function isTokenAnswer(value: unknown): value is TokenAnswer {
  if (typeof value !== 'object' || value === null) return false;
  const { access_token, expires_in, refresh_token } = value as Partial<TokenAnswer>;
  return (
    typeof access_token === 'string' &&
    typeof expires_in === 'number' &&
    (refresh_token === undefined || typeof refresh_token === 'string')
  );
}

export async function errorOf(response: Response, path: string): Promise<ClientError> {
  const { error, error_description, reason, request_id } = await readErrorBody(response);
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const code = error ?? (response.status >= 500 ? 'unavailable' : 'bad_answer');
  return new ClientError(code, error_description ?? `${path} answered ${response.status}`, {
    status: response.status,
    ...(reason === undefined ? {} : { reason }),
    ...(request_id === undefined ? {} : { requestId: request_id }),
    ...(Number.isFinite(retryAfter) ? { retryAfter } : {}),
  });
}

export interface ErrorBody {
  readonly error?: string;
  readonly error_description?: string;
  readonly reason?: string;
  readonly request_id?: string;
}

/** The error body of design's wire contract, with every member that is not a string left out. Never throws. */
export async function readErrorBody(response: Response): Promise<ErrorBody> {
  if (!(response.headers.get('content-type') ?? '').includes('json')) return {};
  try {
    const body: unknown = await response.json();
    if (typeof body !== 'object' || body === null) return {};
    return Object.fromEntries(Object.entries(body).filter(([, value]) => typeof value === 'string'));
  } catch {
    return {};
  }
}
