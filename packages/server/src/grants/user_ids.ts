// User ids: `usr_` and 128 random bits. Client ids begin with `cli_`, so that a `sub` can never name a client (threat C06).
import { randomBytes } from 'node:crypto';

export const newUserId = (): string => `usr_${randomBytes(16).toString('base64url')}`;
export const newClientId = (): string => `cli_${randomBytes(16).toString('base64url')}`;
