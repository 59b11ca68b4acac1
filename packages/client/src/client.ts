// Sign in, keep tokens safe, refresh once. The access token is in memory only; the refresh token is in an HttpOnly cookie
// (browsers) or in a given store (mobile, Node). Rules: one refresh at a time in this program; a refused request is
// repeated once, and once more only where roles changed meanwhile; a refresh that was not answered is asked again with the same Idempotency-Key; only the server's
// word ends a session, never a broken connection; the token goes to the origins we were told of and nowhere else.
import { type HeldToken, holdToken } from './access_token.ts';
import { type Claims, scopeIncludes } from './claims.ts';
import { ClientError } from './client_error.ts';
import type { ChangeCause, ClientOptions, UserChange } from './client_options.ts';
import { createCookieSession } from './cookie_session.ts';
import { withLock } from './lock.ts';
import type { Exchange, RefreshHolder } from './refresh_holder.ts';
import { createStoredSession, memoryStorage } from './stored_session.ts';
import { createWire, errorOf, readErrorBody, readTokens, type TokenAnswer, type Wire } from './wire.ts';

/** Milliseconds that one tab waits for another's refresh before it goes on by itself. */
const LOCK_WAIT = 2_000;
/** Milliseconds until the next try after a refresh that was not answered, while the token in hand still lives. */
const RETRY_WAIT = 3_000;
/** Reasons of a 401 that a new token may cure. A forged or malformed token is not among them. */
const CURABLE = new Set(['expired', 'stale', 'revoked']);
/**
 * A second repetition is for `stale` alone: the exchange that was joined had begun before the roles changed, or they changed
 * once more while the new token was on its way.
 */
const CURABLE_AGAIN = new Set(['stale']);

export type { Client };

export function createClient(options: ClientOptions = {}): Client {
  return new Client(options);
}

class Client {
  readonly #base: URL;
  readonly #origins: ReadonlySet<string>;
  readonly #options: ClientOptions;
  readonly #holder: RefreshHolder;
  readonly #wire: Wire;
  readonly #fetch: typeof globalThis.fetch;
  readonly #now: () => number;
  readonly #listeners = new Set<(change: UserChange) => void>();
  #held: HeldToken | undefined;
  /** False once we know that nobody is signed in, so that no further refresh is tried. */
  #mayRefresh = true;
  #refreshing: Promise<Claims | undefined> | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#base = new URL(options.baseUrl ?? '/', globalThis.location?.href);
    this.#origins = new Set([
      this.#base.origin,
      ...(options.origins ?? []).map((origin) => new URL(origin).origin),
    ]);
    const cookie = options.cookie ?? typeof document !== 'undefined';
    this.#holder = cookie
      ? createCookieSession(`latchkey:${this.#base.origin}:idempotency-key`)
      : createStoredSession(options.storage ?? memoryStorage());
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.#wire = createWire({ base: this.#base, timeLimit: options.timeLimit ?? 10_000, fetch: this.#fetch });
    this.#now = options.now ?? Date.now;
  }

  /** What the access token in hand says, expired or not. Undefined before `login` or `resume`. */
  get user(): Claims | undefined {
    return this.#held?.claims;
  }

  /** The access token in hand, expired or not: to look at it, or to open a WebSocket. Do not store it. */
  get accessToken(): string | undefined {
    return this.#held?.token;
  }

  /** Whether the token in hand carries a permission. Decides what to show; services decide what to allow. */
  can(permission: string): boolean {
    return this.#held !== undefined && scopeIncludes(this.#held.claims, permission);
  }

  /** Told of every change; returns the function that stops it. */
  onChange(listener: (change: UserChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @throws ClientError `invalid_credentials`, `rate_limited`, `unavailable`, … */
  async login(username: string, password: string): Promise<Claims> {
    await this.#settled();
    const { clientId, audience } = this.#options;
    const body = JSON.stringify({
      username,
      password,
      ...(this.#holder.cookie ? { cookie: true } : {}),
      ...(clientId === undefined ? {} : { client_id: clientId }),
      ...(audience === undefined ? {} : { audience }),
    });
    const askedAt = this.#now();
    const answer = await readTokens(
      await this.#wire.post('/auth/login', { headers: { 'content-type': 'application/json' }, body }),
    );
    await this.#holder.adopt(answer);
    return this.#hold(answer, askedAt, 'signed_in');
  }

  /** Picks up the session of an earlier page or program. Undefined: nobody is signed in. @throws ClientError */
  async resume(): Promise<Claims | undefined> {
    if (this.#held !== undefined) return this.#held.claims;
    this.#mayRefresh = true;
    return this.refresh();
  }

  /**
   * Exchanges the refresh token now; callers at the same time share one exchange. Undefined: the session is over.
   * @throws ClientError when there was no usable answer; the session goes on
   */
  refresh(): Promise<Claims | undefined> {
    if (this.#refreshing !== undefined) return this.#refreshing;
    const exchange = (): Promise<Claims | undefined> => this.#exchange();
    // Only tabs share a refresh token: clients with stores of their own, in one server perhaps, need not wait for one another.
    const run = this.#holder.cookie
      ? withLock(`latchkey ${this.#base.origin}`, LOCK_WAIT, exchange)
      : exchange();
    this.#refreshing = run.finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /**
   * Ends this session. The access token is forgotten whatever happens.
   * @throws ClientError when the server could not be reached: call it again
   */
  async logout(): Promise<void> {
    await this.#settled();
    const exchange = await this.#holder.begin();
    this.#held = undefined;
    // A request that is made meanwhile must not fetch a token: its answer could come after the end and bring the session back.
    this.#mayRefresh = false;
    if (exchange !== undefined) await this.#endAtServer(exchange);
    await this.#end('signed_out');
  }

  /** Ends every session of this user, on all devices. @throws ClientError */
  async logoutAll(): Promise<void> {
    const response = await this.fetch('/auth/logout/all', { method: 'POST' });
    // 401: the session is over already, which is what was asked for.
    if (!response.ok && response.status !== 401) throw await errorOf(response, '/auth/logout/all');
    await this.#end('signed_out');
  }

  /**
   * `fetch` with the access token. Refreshes first when it is time; on a 401 that a new token may cure, refreshes and
   * repeats the request (not if its body is a stream): once, and a second time where roles changed meanwhile. Otherwise answers
   * what the server answered.
   * @throws TypeError for an address outside the known origins
   * @throws ClientError `user_changed` when another tab signed in as somebody else; `unavailable` without a usable token
   */
  async fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const request = input instanceof Request ? input : new URL(input, this.#base);
    const { origin } = new URL(request instanceof URL ? request : request.url);
    if (!this.#origins.has(origin))
      throw new TypeError(`${origin} is not an origin that may be sent the access token`);
    let held = await this.#freshToken();
    let response = await this.#send(copyOf(request), init, held);
    if (init.body instanceof ReadableStream) return response;
    for (const curable of [CURABLE, CURABLE_AGAIN]) {
      const next = await this.#cure(response, curable, held);
      if (next === undefined) break;
      await response.body?.cancel();
      held = next;
      response = await this.#send(copyOf(request), init, held);
    }
    return response;
  }

  /** The token to repeat a refused request with; undefined when the answer stands as it is. */
  async #cure(
    response: Response,
    curable: ReadonlySet<string>,
    held: HeldToken | undefined,
  ): Promise<HeldToken | undefined> {
    if (held === undefined || response.status !== 401) return undefined;
    const { reason } = await readErrorBody(response.clone());
    return reason !== undefined && curable.has(reason) ? this.#tokenAfter(held) : undefined;
  }

  #send(request: URL | Request, init: RequestInit, held: HeldToken | undefined): Promise<Response> {
    const headers = new Headers(init.headers ?? (request instanceof Request ? request.headers : undefined));
    if (held !== undefined) headers.set('authorization', `Bearer ${held.token}`);
    const method = init.method ?? (request instanceof Request ? request.method : 'GET');
    if (!/^(GET|HEAD)$/i.test(method)) headers.set('x-latchkey', '1');
    return this.#fetch(request, { ...init, headers });
  }

  /** The token in hand, exchanged first when it is time. Undefined: nobody is signed in. */
  async #freshToken(): Promise<HeldToken | undefined> {
    const held = this.#held;
    if (held !== undefined && this.#now() < held.refreshAt) return held;
    if (!this.#mayRefresh) return held;
    try {
      await this.refresh();
    } catch (error) {
      // The auth server is out of reach: go on with what we have as long as it lives, and do not ask at every request.
      if (held === undefined || this.#held !== held || this.#now() >= held.expiresAt) throw error;
      this.#held = { ...held, refreshAt: this.#now() + RETRY_WAIT };
      return this.#held;
    }
    return this.#sameUser(held);
  }

  /** A newer token than the one that was refused: perhaps another request has fetched it already. */
  async #tokenAfter(refused: HeldToken): Promise<HeldToken | undefined> {
    if (this.#held?.token === refused.token) {
      try {
        await this.refresh();
      } catch {
        return undefined;
      }
    }
    return this.#sameUser(refused);
  }

  /** A request that one person began is never finished in the name of another who signed in in a second tab. */
  #sameUser(before: HeldToken | undefined): HeldToken | undefined {
    const held = this.#held;
    if (before !== undefined && held !== undefined && held.claims.sub !== before.claims.sub) {
      throw new ClientError('user_changed', 'somebody else has signed in');
    }
    return held;
  }

  async #exchange(): Promise<Claims | undefined> {
    const exchange = await this.#holder.begin();
    if (exchange === undefined) return this.#end('ended');
    const body = new URLSearchParams({ grant_type: 'refresh_token' });
    if (exchange.refreshToken !== undefined) body.set('refresh_token', exchange.refreshToken);
    if (this.#options.audience !== undefined) body.set('audience', this.#options.audience);
    const askedAt = this.#now();
    let answer: TokenAnswer;
    try {
      answer = await readTokens(
        await this.#wire.post('/auth/token', { headers: { 'idempotency-key': exchange.key }, body }),
      );
    } catch (error) {
      if (!(error instanceof ClientError) || !this.#isOver(error)) throw error;
      return this.#end('ended', exchange, error.reason);
    }
    await this.#holder.settle(exchange, answer);
    return this.#hold(answer, askedAt, 'refreshed');
  }

  /** `invalid_request` in cookie mode says that the browser had no cookie to send. */
  #isOver({ status, code }: ClientError): boolean {
    return (
      status === 400 && (code === 'invalid_grant' || (code === 'invalid_request' && this.#holder.cookie))
    );
  }

  #hold(answer: TokenAnswer, askedAt: number, cause: ChangeCause): Claims {
    const random = this.#options.random ?? randomFraction;
    this.#held = holdToken(answer, askedAt, random());
    this.#mayRefresh = true;
    this.#tell({ cause, user: this.#held.claims });
    return this.#held.claims;
  }

  async #endAtServer({ refreshToken }: Exchange): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ refresh_token: refreshToken });
    try {
      await this.#wire.post('/auth/logout', refreshToken === undefined ? {} : { headers, body });
    } catch (error) {
      // A session that is over already is refused: that is what was asked for. Anything else may be tried again.
      if (!(error instanceof ClientError) || (error.status !== 400 && error.status !== 401)) throw error;
    }
  }

  async #end(cause: ChangeCause, exchange?: Exchange, reason?: string): Promise<undefined> {
    const silent = cause === 'ended' && this.#held === undefined && reason === undefined;
    this.#held = undefined;
    this.#mayRefresh = false;
    await this.#holder.forget(exchange);
    if (silent) return; // a visitor who never signed in is not told that a session ended
    this.#tell({ cause, user: undefined, ...(reason === undefined ? {} : { reason }) });
  }

  #tell(change: UserChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  /** Signing in or out waits for an exchange under way, so that its answer cannot undo what follows. */
  async #settled(): Promise<void> {
    await this.#refreshing?.catch(() => {});
  }
}

/** A request with a body can be sent once; what was given is kept for the next time. */
function copyOf(request: URL | Request): URL | Request {
  return request instanceof URL ? request : request.clone();
}

function randomFraction(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
}
