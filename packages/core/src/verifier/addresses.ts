// Which addresses may be trusted to speak for an issuer. Keys fetched over plain http belong to whoever sits on the wire, so an
// issuer is https, or plain http on the loopback interface, where there is no wire. Names are judged as text: nothing is
// resolved here, so only addresses and names that cannot leave the machine count as loopback.

export type AddressClass = 'https' | 'loopback' | 'private' | 'other';

/** A sentence that says what is wrong with `text` as an issuer's address, or the class it belongs to. */
export function classifyAddress(text: unknown): { readonly fault: string } | { readonly kind: AddressClass } {
  if (typeof text !== 'string' || !URL.canParse(text)) return { fault: 'must be an absolute URL' };
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return { fault: 'must not contain credentials' };
  // RFC 8414 §2: an issuer has no query and no fragment.
  if (/[?#\s\\]/.test(text)) return { fault: 'must not contain a query, a fragment, spaces or backslashes' };
  if (url.protocol === 'https:') return { kind: 'https' };
  if (url.protocol !== 'http:') return { fault: 'must be https' };
  if (isLoopback(url.hostname)) return { kind: 'loopback' };
  return { kind: isPrivate(url.hostname) ? 'private' : 'other' };
}

/** RFC 6761 §6.3: `localhost` and the names below it never leave the machine. */
function isLoopback(host: string): boolean {
  return host === '127.0.0.1' || host === '[::1]' || host === 'localhost' || host.endsWith('.localhost');
}

/** RFC 1918, RFC 4193, and names that public DNS does not carry. Link-local (cloud metadata) is deliberately not here. */
function isPrivate(host: string): boolean {
  if (/^(10(\.\d+){3}|192\.168(\.\d+){2}|172\.(1[6-9]|2\d|3[01])(\.\d+){2})$/.test(host)) return true;
  if (/^\[f[cd]/.test(host)) return true;
  return /^[a-z][a-z0-9-]*$/.test(host) || /^[a-z0-9.-]+\.(internal|local)$/.test(host);
}

/** Where a document of the issuer is: its address, without a slash at the end, and the path. */
export function documentUrl(address: string, path: string): string {
  return `${address.replace(/\/$/, '')}${path}`;
}
