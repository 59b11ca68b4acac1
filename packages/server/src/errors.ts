// The words of refusal. Everything below HTTP throws AuthError with one of these codes; http/ turns a code into a status.
// A message may be read by anyone: it never holds a password, a token, a key, or which half of a credential was wrong.

/** `error` values: RFC 6749 §5.2, RFC 6750 §3.1, RFC 7009 §2.2.1, RFC 8707 §2, and Latchkey's own below the line. */
export const statusByCode = {
  invalid_request: 400,
  invalid_grant: 400,
  invalid_target: 400,
  unsupported_grant_type: 400,
  unsupported_token_type: 400,
  invalid_client: 401,
  invalid_token: 401,
  insufficient_scope: 403,
  temporarily_unavailable: 503,

  invalid_credentials: 401,
  access_denied: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  weak_password: 400,
  rate_limited: 429,
  unavailable: 503,
  server_error: 500,
} as const;

export type ErrorCode = keyof typeof statusByCode;

export interface AuthErrorOptions {
  /** A machine-readable detail the client may act on: `ended`, `reuse`, `expired`, … */
  readonly reason?: string;
  /** Seconds after which trying again makes sense; becomes `Retry-After`. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/** A refusal with a stable `code`. The message is public (`error_description`). */
export class AuthError extends Error {
  readonly code: ErrorCode;
  readonly reason: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, description: string, options: AuthErrorOptions = {}) {
    super(description, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AuthError';
    this.code = code;
    this.reason = options.reason;
    this.retryAfter = options.retryAfter;
  }
}
