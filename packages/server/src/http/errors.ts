// Every refusal and every fault as an answer: `error`, `error_description`, `reason`, `request_id`, never a stack trace,
// never a value that was sent. What is not foreseen is logged and answered with 500.
import { refusalOf, TokenError } from '@latchkey/core';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { AuthError, type ErrorCode, statusByCode } from '../errors.ts';
import { DatabaseUnavailable } from '../storage/database.ts';

interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: string; readonly error_description: string; readonly reason?: string };
}

function answerOf(error: AuthError): ErrorAnswer {
  const headers: Record<string, string> = {};
  if (error.retryAfter !== undefined) headers['retry-after'] = String(error.retryAfter);
  if (error.code === 'invalid_client') headers['www-authenticate'] = 'Basic realm="latchkey"';
  return {
    status: statusByCode[error.code],
    headers,
    body: {
      error: error.code,
      error_description: error.message,
      ...(error.reason === undefined ? {} : { reason: error.reason }),
    },
  };
}

const frameworkCodes: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload_too_large', 'The body is too large.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported_media_type',
    'The body is of a type that this call does not take.',
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['invalid_request', 'The body is empty.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid_request', 'The body does not have the length it says.'],
};

/** A schema's refusal: where it is, and the rule; never the value. */
function describeValidation(error: FastifyError): string {
  const first = error.validation?.[0];
  const place = `${error.validationContext ?? 'request'}${first?.instancePath ?? ''}`;
  return `${place} ${first?.message ?? 'is not valid'}`.slice(0, 200);
}

function translate(error: FastifyError | Error): AuthError | undefined {
  if (error instanceof AuthError) return error;
  if (error instanceof DatabaseUnavailable) {
    return new AuthError('unavailable', 'The database cannot be reached at the moment.', { retryAfter: 1 });
  }
  if ('validation' in error && error.validation !== undefined)
    return new AuthError('invalid_request', describeValidation(error));
  const known = 'code' in error ? frameworkCodes[error.code] : undefined;
  if (known !== undefined) return new AuthError(known[0], known[1]);
  const status = 'statusCode' in error ? error.statusCode : undefined;
  if (status !== undefined && status >= 400 && status < 500)
    return new AuthError('invalid_request', 'The request is not valid.');
  return undefined;
}

export function handleError(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): void {
  const known = translate(error);
  if (known === undefined && !(error instanceof TokenError)) {
    request.log.error({ error_name: error.name, stack: error.stack }, 'unexpected error');
  }
  const answer =
    error instanceof TokenError
      ? refusalOf(error, 'latchkey')
      : answerOf(known ?? new AuthError('server_error', 'The server met an unexpected fault.'));
  if (error instanceof TokenError) request.log.info({ code: error.code }, 'token refused');
  // A fault of ours is said; a full queue is only counted, since a line for each refusal would slow down the refusing.
  if (error instanceof DatabaseUnavailable)
    request.log.warn({ cause: causeOf(error) }, 'database unavailable');
  reply
    .code(answer.status)
    .headers({
      ...answer.headers,
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
    })
    .serializer((value: unknown) => JSON.stringify(value))
    .send({ ...answer.body, request_id: request.id });
}

function causeOf(error: Error): string | undefined {
  return error.cause instanceof Error ? error.cause.message : undefined;
}

export function handleNotFound(request: FastifyRequest, reply: FastifyReply): void {
  handleError(new AuthError('not_found', 'There is nothing at this address.'), request, reply);
}
