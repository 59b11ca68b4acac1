// What an HTTP client hears when its token is refused (RFC 6750 §3): one function for the middleware, the gateway and the
// authorization server, so that all of them answer alike.
//
// Rules: the answer carries the error's `reason`, never its `code` or `message`: those say which check of a forged token
// failed. Anything that is not a TokenError is not answered here; it is the caller's own fault and must not look like a 401.
import { type Reason, TokenError } from './token_error.ts';

/** The `error` codes of RFC 6750 §3.1 that we send, and the one of RFC 6749 §4.1.2.1 for "try again". */
export type RefusalCode = 'invalid_token' | 'insufficient_scope' | 'temporarily_unavailable';

export interface Refusal {
  readonly status: 401 | 403 | 503;
  /** Lower-case names, ready for `response.setHeader`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly error: RefusalCode;
    readonly error_description: string;
    readonly reason: Reason;
  };
}

const descriptions: Readonly<Record<Reason, string>> = {
  missing: 'This call needs an access token.',
  malformed: 'The access token is not a signed JWT in compact form.',
  invalid: 'The access token is not valid here.',
  expired: 'The access token has expired.',
  not_yet_valid: 'The access token is not valid yet.',
  revoked: 'The access token has been revoked.',
  stale: 'The permissions in the access token have changed: refresh it and try again.',
  signals_stale: 'Revocations cannot be checked at the moment: try again soon.',
  unavailable: 'Access tokens cannot be checked at the moment: try again soon.',
  insufficient_scope: 'The access token does not permit this.',
};

/** Seconds a client is asked to wait: the stream of signals reconnects well within it. */
const retryAfter = '5';

/**
 * The RFC 6750 answer to a refused token. `realm` is put into the challenge as it is: it must be printable ASCII without `"`
 * and `\`, else TypeError. An `error` that is not a {@link TokenError} is thrown again: it is a fault of ours, not of the token.
 */
export function refusalOf(error: unknown, realm?: string): Refusal {
  if (!(error instanceof TokenError)) throw error;
  const { reason } = error;
  if (reason === 'unavailable' || reason === 'signals_stale') {
    return {
      status: 503,
      headers: { 'retry-after': retryAfter },
      body: { error: 'temporarily_unavailable', error_description: descriptions[reason], reason },
    };
  }
  const status = reason === 'insufficient_scope' ? 403 : 401;
  const code = status === 403 ? 'insufficient_scope' : 'invalid_token';
  return {
    status,
    headers: {
      'www-authenticate': challenge(realm, reason === 'missing' ? undefined : code, descriptions[reason]),
    },
    body: { error: code, error_description: descriptions[reason], reason },
  };
}

/** RFC 6750 §3.1: a request that carried no token at all gets the bare challenge, without an error code. */
function challenge(realm: string | undefined, code: RefusalCode | undefined, description: string): string {
  const parameters: string[] = [];
  if (realm !== undefined) {
    if (!/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(realm))
      throw new TypeError('realm must be printable ASCII without " and \\');
    parameters.push(`realm="${realm}"`);
  }
  if (code !== undefined) parameters.push(`error="${code}"`, `error_description="${description}"`);
  return parameters.length === 0 ? 'Bearer' : `Bearer ${parameters.join(', ')}`;
}
