export { type Claims, decodeClaims } from './claims.ts';
export { type Client, createClient } from './client.ts';
export { ClientError, type ClientErrorCode } from './client_error.ts';
export type { ChangeCause, ClientOptions, UserChange } from './client_options.ts';
export type { SavedSession, TokenStorage } from './stored_session.ts';
