// Refresh tokens are computed, not stored:
//   lkr_ + base64url( version 1 B ‖ key id 1 B ‖ session id 16 B ‖ generation u32 ‖ HMAC-SHA256(refresh key, all before) )
// A wrong MAC is refused without touching the database, and a leaked database holds nothing to steal (threat S05). All
// who race for a session's next token compute the same one.
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface RefreshTokenContent {
  /** base64url of 16 bytes. */
  readonly sessionId: string;
  readonly generation: number;
}

export interface RefreshKey {
  /** 0–255. */
  readonly id: number;
  readonly secret: Uint8Array;
}

const prefix = 'lkr_';
const version = 1;
const macAt = 22;
const tokenLength = prefix.length + 72;

export function makeRefreshToken(content: RefreshTokenContent, key: RefreshKey): string {
  const bytes = Buffer.alloc(macAt + 32);
  bytes[0] = version;
  bytes[1] = key.id;
  bytes.write(content.sessionId, 2, 16, 'base64url');
  bytes.writeUInt32BE(content.generation, 18);
  mac(bytes, key).copy(bytes, macAt);
  return prefix + bytes.toString('base64url');
}

/** Undefined for anything that we did not make. Not checked here: that the session lives. */
export function openRefreshToken(
  token: string,
  keys: ReadonlyMap<number, RefreshKey>,
): RefreshTokenContent | undefined {
  if (token.length !== tokenLength || !token.startsWith(prefix)) return undefined;
  const bytes = Buffer.from(token.slice(prefix.length), 'base64url');
  // 54 bytes are 72 characters exactly, without spare bits: re-encoding is the whole canonical check.
  if (bytes.length !== macAt + 32 || bytes.toString('base64url') !== token.slice(prefix.length))
    return undefined;
  const key = keys.get(bytes[1] ?? 0);
  if (bytes[0] !== version || key === undefined) return undefined;
  if (!timingSafeEqual(mac(bytes, key), bytes.subarray(macAt))) return undefined;
  return { sessionId: bytes.toString('base64url', 2, 18), generation: bytes.readUInt32BE(18) };
}

function mac(bytes: Buffer, key: RefreshKey): Buffer {
  return createHmac('sha256', key.secret).update(bytes.subarray(0, macAt)).digest();
}
