// Where the refresh token lives, as the client sees it: in a cookie that no script can read, or in a store. Both kinds
// keep the Idempotency-Key of the exchange under way.
import type { TokenAnswer } from './wire.ts';

/** One exchange: what goes into the request besides `grant_type`. */
export interface Exchange {
  readonly key: string;
  /** Absent in cookie mode: the browser adds it. */
  readonly refreshToken?: string;
}

export interface RefreshHolder {
  readonly cookie: boolean;
  /** The exchange to make; the same one again until it is settled. Undefined: nobody is signed in. */
  begin(): Promise<Exchange | undefined>;
  /** The server has answered this exchange with tokens. */
  settle(exchange: Exchange, answer: TokenAnswer): Promise<void>;
  /** A sign-in: whatever was there before is forgotten. */
  adopt(answer: TokenAnswer): Promise<void>;
  /** The session is over. Given an exchange, only if it is still that one's session. */
  forget(exchange?: Exchange): Promise<void>;
}
