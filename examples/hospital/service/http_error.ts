// A refusal that is the caller's to mend: a status of the 4xx kind (or 503), a stable code, and a sentence for people. Whatever
// else is thrown in a handler is our own fault, and the caller learns nothing of it but the request id.

export interface HttpErrorOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** What a client may act on, such as `stale`. */
  readonly reason?: string;
}

export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly reason: string | undefined;

  constructor(status: number, code: string, message: string, options: HttpErrorOptions = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = options.headers ?? {};
    this.reason = options.reason;
  }
}

export function badRequest(message: string): HttpError {
  return new HttpError(400, 'invalid_request', message);
}

export function notFound(message: string): HttpError {
  return new HttpError(404, 'not_found', message);
}
