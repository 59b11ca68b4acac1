// The one error class of the client. `code` is stable and is either the server's own `error` (invalid_credentials,
// rate_limited, …) or one of ours. A message never holds a token, a password or a key, so it may be logged.

/** Ours: `unavailable` (no answer, or a 5xx), `bad_answer` (not what the wire contract says), `user_changed`. */
export type ClientErrorCode = 'unavailable' | 'bad_answer' | 'user_changed' | (string & {});

interface Details {
  readonly status?: number;
  readonly reason?: string;
  readonly requestId?: string;
  /** Seconds the server asked us to wait (`Retry-After`). */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ClientErrorCode, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.reason = details.reason;
    this.requestId = details.requestId;
    this.retryAfter = details.retryAfter;
  }
}
