// `createVerifier`: what a service asks about every request. The order is fixed: a signature verified before, or else form, key and
// signature; then always, on every call and every hit of the cache, issuer, audience, times, marks, and whether we know
// enough to vouch for the token. The cache holds verified signatures, never decisions. No call waits on the network once
// keys and a snapshot are here, except for a `kid` that nobody has heard of.
import {
  checkAccessTokenClaims,
  readAccessTokenHeader,
  type VerifiedToken,
  verifyAccessTokenSignature,
} from '../access_token.ts';
import { TokenError } from '../token_error.ts';
import { createFixedKnowledge, createRemoteKnowledge, type SignalsStatus, within } from './knowledge.ts';
import type { Mark, MarkedClaims, MarkHit } from './marks.ts';
import { readOptions, type VerifierOptions } from './options.ts';
import { createSignatureCache } from './signature_cache.ts';

export interface VerifyOptions {
  /** Refuse as soon as revocations of the last 10 s may be unknown, instead of after minutes. @default false */
  readonly sensitive?: boolean;
}

export interface VerifierStatus {
  /** Keys are here, and a snapshot where signals are followed. */
  readonly ready: boolean;
  /** The `kid`s. */
  readonly keys: readonly string[];
  readonly marks: number;
  /** Milliseconds, the issuer's clock; undefined without signals. */
  readonly asOf: number | undefined;
  /** Milliseconds since then; 0 where nothing can be stale, infinite before the first. */
  readonly staleForMs: number;
  readonly connected: boolean;
  readonly signals: SignalsStatus | undefined;
  readonly jwksFetches: number;
  readonly cachedSignatures: number;
  /** The last thing that went wrong and has not gone right since, in words of ours. */
  readonly lastFault: string | undefined;
}

export interface Verifier {
  /**
   * Rejects with TokenError when the token is refused. Waits only for the first keys and snapshot (5 s at most) and for one
   * fetch when the key is unknown. Does not check permissions: see `hasPermission` and `hasRole`.
   */
  verify(token: unknown, options?: VerifyOptions): Promise<VerifiedToken>;
  /** The same without waiting: `unknown_key` and `unavailable` are the codes after which `verify` may still succeed. */
  verifySync(token: unknown, options?: VerifyOptions): VerifiedToken;
  /** Resolves when keys and a snapshot are here; rejects with TokenError `unavailable` after `timeout` (ms). @default 10000 */
  ready(timeout?: number): Promise<void>;
  status(): VerifierStatus;
  /** Told of each new mark; returns a function that ends it. What the listener throws is lost. */
  onMark(listener: (mark: Mark) => void): () => void;
  /** The marks alone, for connections that live on: not the expiry, not the staleness. */
  isRevoked(claims: MarkedClaims, kid?: string): MarkHit | undefined;
  /** Ends timers and connections. What is known goes on being used until it is stale. */
  close(): void;
}

const notReady = 'there are no keys and revocations yet';

/** Throws one TypeError that lists every fault of the options. */
export function createVerifier(options: VerifierOptions): Verifier {
  const settings = readOptions(options);
  const { issuer, audience, clockTolerance, maxTokenLife } = settings;
  const listeners = new Set<(mark: Mark) => void>();
  const cache = createSignatureCache(settings.signatureCacheBytes);
  const onMark = (mark: Mark): void => tell(listeners, mark);
  const onWithdrawnKey = (): void => cache.clear();
  const knowledge =
    settings.fixedKeys === undefined
      ? createRemoteKnowledge(settings, { onMark, onWithdrawnKey })
      : createFixedKnowledge(settings.fixedKeys, settings);
  const { marks } = knowledge;
  // One record for all calls: they do not wait, so no two of them use it at once.
  const expectation = { issuer, audience, clockTolerance, maxTokenLife, now: 0 };

  /** Everything that may have changed since the signature was verified. */
  const admit = (verified: VerifiedToken, sensitive: boolean): VerifiedToken => {
    const now = knowledge.clock();
    expectation.now = now;
    checkAccessTokenClaims(verified.claims, expectation);
    const hit = marks.hit(verified.claims, verified.header.kid, now);
    if (hit !== undefined) throw new TokenError(hit, `a mark says ${hit}`);
    if (!knowledge.holds(sensitive))
      throw new TokenError('signals_stale', 'no news from the issuer for too long');
    return verified;
  };

  const verifyNew = (token: unknown, sensitive: boolean): VerifiedToken => {
    if (!knowledge.known) throw new TokenError('unavailable', notReady);
    const { kid } = readAccessTokenHeader(token);
    const key = knowledge.keys?.get(kid);
    if (key === undefined) throw new TokenError('unknown_key', 'no key with this kid');
    const verified = admit(verifyAccessTokenSignature(token as string, key), sensitive);
    // Shared by all later requests with this token: nobody may change it.
    cache.set(token as string, Object.freeze(verified));
    return verified;
  };

  const verifySync = (token: unknown, options?: VerifyOptions): VerifiedToken => {
    const sensitive = options?.sensitive === true;
    const known = typeof token === 'string' ? cache.get(token) : undefined;
    return known === undefined ? verifyNew(token, sensitive) : admit(known, sensitive);
  };

  const verify = async (token: unknown, options?: VerifyOptions): Promise<VerifiedToken> => {
    if (!knowledge.known) await knowledge.wait().catch(() => {});
    try {
      return verifySync(token, options);
    } catch (error) {
      if (!(error instanceof TokenError) || error.code !== 'unknown_key') throw error;
      if (!(await knowledge.find(readAccessTokenHeader(token).kid))) throw error;
    }
    return verifySync(token, options);
  };

  return {
    verify,
    verifySync,
    async ready(timeout = 10_000) {
      await within(timeout, knowledge.whenKnown()).catch(() => {
        throw new TokenError('unavailable', notReady);
      });
    },
    status() {
      const { signals, known, keys, jwksFetches, lastFault } = knowledge;
      return {
        ready: known,
        keys: [...(keys?.keys() ?? [])],
        marks: marks.size,
        asOf: signals?.asOf,
        staleForMs: signals?.staleForMs ?? 0,
        connected: signals?.connected ?? false,
        signals,
        jwksFetches,
        cachedSignatures: cache.size,
        lastFault,
      };
    },
    onMark(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    isRevoked: (claims, kid) => marks.hit(claims, kid, knowledge.clock()),
    close: () => knowledge.close(),
  };
}

/** A listener's own fault must not stop the stream that revocations come by. */
function tell(listeners: ReadonlySet<(mark: Mark) => void>, mark: Mark): void {
  for (const listener of listeners) {
    try {
      listener(mark);
    } catch {
      // Said in the documentation of `onMark`.
    }
  }
}
