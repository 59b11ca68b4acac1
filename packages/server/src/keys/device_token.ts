// A device that has signed in to an account before carries proof of it, so that guessing by others cannot lock it out
// (threat L06): lkd_ + base64url( key id 1 B ‖ device id 16 B ‖ HMAC-SHA256(refresh key, "device" ‖ user id ‖ all before) ).
// It opens nothing: it only chooses which attempt counter counts.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { RefreshKey } from './refresh_token.ts';

const prefix = 'lkd_';
const macAt = 17;
const byteLength = macAt + 32;

/** For a new device, or for the one whose id is given. */
export function makeDeviceToken(userId: string, key: RefreshKey, deviceId?: string): string {
  const id = deviceId === undefined ? randomBytes(16) : Buffer.from(deviceId, 'base64url');
  const head = Buffer.concat([Buffer.from([key.id]), id]);
  return prefix + Buffer.concat([head, mac(head, userId, key)]).toString('base64url');
}

/** The device's id when the token was made for this user; otherwise undefined. */
export function openDeviceToken(
  token: string,
  userId: string,
  keys: ReadonlyMap<number, RefreshKey>,
): string | undefined {
  if (!token.startsWith(prefix) || token.length > 80) return undefined;
  const bytes = Buffer.from(token.slice(prefix.length), 'base64url');
  const key = keys.get(bytes[0] ?? 0);
  if (bytes.length !== byteLength || key === undefined) return undefined;
  const head = bytes.subarray(0, macAt);
  return timingSafeEqual(mac(head, userId, key), bytes.subarray(macAt))
    ? head.toString('base64url', 1)
    : undefined;
}

function mac(head: Buffer, userId: string, key: RefreshKey): Buffer {
  return createHmac('sha256', key.secret)
    .update('device\0')
    .update(userId)
    .update('\0')
    .update(head)
    .digest();
}
