// What the client can be told, and what it tells.
import type { Claims } from './claims.ts';
import type { TokenStorage } from './stored_session.ts';

export interface ClientOptions {
  /** The public origin, such as `https://hospital.example`. @default the page's own origin; needed outside browsers */
  readonly baseUrl?: string;
  /** Keep the refresh token in an HttpOnly cookie. @default true where there is a `document` */
  readonly cookie?: boolean;
  /** Where the refresh token is kept when it is not in a cookie. @default memory */
  readonly storage?: TokenStorage;
  /** Further origins that may be sent the access token. @default none but `baseUrl` */
  readonly origins?: readonly string[];
  /** Names of the application and of the services the tokens are for. @default the server's */
  readonly clientId?: string;
  readonly audience?: string;
  /** Milliseconds for one call to the auth server. @default 10000 */
  readonly timeLimit?: number;
  readonly fetch?: typeof globalThis.fetch;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** A number from 0 to 1. */
  readonly random?: () => number;
}

/** `ended`: the server ended the session, and `reason` says why (`expired`, `disabled`, `reuse`, …). */
export type ChangeCause = 'signed_in' | 'refreshed' | 'signed_out' | 'ended';

export interface UserChange {
  readonly cause: ChangeCause;
  readonly user: Claims | undefined;
  readonly reason?: string;
}
