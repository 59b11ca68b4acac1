// What a receiver may answer about an event (RFC 8935 §2.4, the IANA registry of SET error codes). Of these only one says that the
// event itself can never be taken; the others name something that somebody can mend (a key, an audience, a permission), so the
// event stays and comes again.

const known = new Set([
  'invalid_request',
  'invalid_key',
  'invalid_issuer',
  'invalid_audience',
  'authentication_failed',
  'access_denied',
]);

/** The code, if it is a registered one: what else a stranger writes goes into no log and no row. */
export function deliveryError(code: unknown): string {
  return typeof code === 'string' && known.has(code) ? code : 'other';
}

export function isFinal(error: string): boolean {
  return error === 'invalid_request';
}
