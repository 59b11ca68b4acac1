// Takes a token apart for a person to look at, more patiently than the verifier does: also what no verifier would accept
// is shown, as far as it can be read. Nothing here says that a token is good.
import { decodeBase64url } from '@latchkey/core';

export interface DecodedToken {
  readonly kind: 'jwt';
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signatureBytes: number;
}

export interface DecodedRefreshToken {
  readonly kind: 'refresh';
  readonly version: number;
  readonly keyId: number;
  readonly sessionId: string;
  readonly generation: number;
}

export interface Undecodable {
  readonly kind: 'unreadable';
  readonly why: string;
}

/** Leaves out what people copy along: `Bearer `, quotes, line ends. */
export function bareToken(text: string): string {
  return text
    .trim()
    .replace(/^authorization:\s*/i, '')
    .replace(/^bearer\s+/i, '')
    .replace(/^(["'])(.*)\1$/s, '$2');
}

export function decodeToken(token: string): DecodedToken | DecodedRefreshToken | Undecodable {
  if (token.startsWith('lkr_')) return decodeRefreshToken(token);
  const segments = token.split('.');
  if (segments.length === 5)
    return unreadable('five segments: this is an encrypted token (JWE), and nobody here has its key');
  if (segments.length !== 3)
    return unreadable(`a token has three segments with dots between them, this has ${segments.length}`);
  const header = readObject(segments[0]!);
  const claims = readObject(segments[1]!);
  if (header === undefined) return unreadable('the first segment is not a json object in base64url');
  if (claims === undefined) return unreadable('the second segment is not a json object in base64url');
  return { kind: 'jwt', header, claims, signatureBytes: Buffer.from(segments[2]!, 'base64url').length };
}

/** The layout is public (docs/architecture.md); the MAC at the end is what cannot be made up. */
function decodeRefreshToken(token: string): DecodedRefreshToken | Undecodable {
  const bytes = decodeBase64url(token.slice('lkr_'.length));
  if (bytes === undefined || bytes.length !== 1 + 1 + 16 + 4 + 32)
    return unreadable('it begins like a refresh token and is not one');
  return {
    kind: 'refresh',
    version: bytes.readUInt8(0),
    keyId: bytes.readUInt8(1),
    sessionId: bytes.subarray(2, 18).toString('base64url'),
    generation: bytes.readUInt32BE(18),
  };
}

function unreadable(why: string): Undecodable {
  return { kind: 'unreadable', why };
}

function readObject(segment: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
