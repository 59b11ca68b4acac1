// Our own cookies, `__Host-latchkey-…`, belong to the auth server alone: the refresh token is one of them. They are taken
// out of what any other service is sent, and no other service may set one (threat G10). All other cookies stay.

/** The Cookie field without our cookies; undefined when nothing is left. */
export function withoutOwnCookies(field: string): string | undefined {
  if (!mentionsOwn(field)) return field;
  const kept = field.split(';').filter((pair) => !isOwnName(pair));
  return kept.length === 0 ? undefined : kept.join(';').trim();
}

/**
 * Whether a Set-Cookie field would set one of our cookies in any browser: the name in any case, and the nameless form
 * `=__Host-…`, which some browsers send back as if the value had the name (RFC 6265bis §5.7).
 */
export function setsOwnCookie(field: string): boolean {
  return mentionsOwn(field) && isOwnName(field);
}

function mentionsOwn(field: string): boolean {
  return /__host-latchkey-/i.test(field);
}

function isOwnName(pair: string): boolean {
  return /^[\s="']*__host-latchkey-/i.test(pair);
}
