// Taking tokens apart and putting them together again, for the two views that look inside. Nothing here checks anything.

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export function toBase64Url(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

export function fromBase64Url(text) {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) =>
    letter.charCodeAt(0),
  );
}

export function decode(token) {
  const [header, payload, signature] = token.split('.');
  const read = (part) => JSON.parse(decoder.decode(fromBase64Url(part)));
  return { header: read(header), claims: read(payload), parts: [header, payload, signature] };
}

export function encode(value) {
  return toBase64Url(encoder.encode(JSON.stringify(value)));
}

/** Signs with a key that this page makes: a perfect ES256 signature, by nobody the services know. */
export async function signWithOwnKey(header, claims) {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  const input = (extra) => `${encode({ ...header, ...extra })}.${encode(claims)}`;
  const sign = async (text) => {
    const bytes = await crypto.subtle.sign(
      { name: 'ECDSA', hash: 'SHA-256' },
      pair.privateKey,
      encoder.encode(text),
    );
    return `${text}.${toBase64Url(new Uint8Array(bytes))}`;
  };
  return { plain: await sign(input({})), withKey: await sign(input({ jwk: { kty, crv, x, y } })) };
}

/** Signs with HMAC and a text as the secret: what a confused verifier would do with a public key. */
export async function signWithText(header, claims, secret) {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['sign']);
  const text = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
  const bytes = await crypto.subtle.sign('HMAC', key, encoder.encode(text));
  return `${text}.${toBase64Url(new Uint8Array(bytes))}`;
}
