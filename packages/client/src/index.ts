export { type Claims, decodeClaims } from './claims.ts';
export {
  type ChangeCause,
  type Client,
  type ClientOptions,
  createClient,
  type UserChange,
} from './client.ts';
export { ClientError, type ClientErrorCode } from './client_error.ts';
export type { SavedSession, TokenStorage } from './stored_session.ts';
