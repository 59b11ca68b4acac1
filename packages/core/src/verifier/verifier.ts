// `createVerifier`: what a service asks about every request. The order is fixed: a signature verified before, or else form, key and
// signature; then always, on every call and every hit of the cache, issuer, audience, times, marks, and whether we know
// enough to vouch for the token. The cache holds verified signatures, never decisions. No call waits on the network once
// keys and a snapshot are here, except for a `kid` that nobody has heard of.
import {
  checkAccessTokenClaims,
  parseAccessToken,
  readAccessTokenHeader,
  type VerifiedToken,
  verifyAccessTokenSignature,
} from '../access_token.ts';
import { TokenError } from '../token_error.ts';
import { within } from './deadline.ts';
import { createDoorkeeper } from './doorkeeper.ts';
import { createFixedKnowledge, type SignalsStatus } from './knowledge.ts';
import { type Mark, type MarkedClaims, type MarkHit, type MarkSpots, spotsOf } from './marks.ts';
import { readOptions, type SignalsMode, type VerifierOptions } from './options.ts';
import { createReader } from './reader.ts';
import { createRemoteKnowledge } from './remote_knowledge.ts';
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
  /** Whether the news are recent enough to decide with: ordinary requests, and `sensitive` ones. */
  readonly decides: { readonly normal: boolean; readonly sensitive: boolean };
  /** The stream is open; with `poll`, the last look at the snapshot went well. */
  readonly connected: boolean;
  /** How signals are followed. */
  readonly mode: SignalsMode;
  /** Names this verifier to the issuer: 22 characters, new for each. */
  readonly instance: string;
  /** It has a client credential. One that follows the stream acknowledges what it has applied. */
  readonly registered: boolean;
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

/**
 * What is kept of a token whose signature, issuer and audience were found good: those never change for one verifier, the rest is
 * asked on every hit. Claims lie scattered in memory and each look at one costs a cache miss, so what every hit needs
 * stands here: the time it is good for, in whole seconds, the version of the marks that did not hit it, and what tells whether those
 * that came since may.
 */
interface Entry extends VerifiedToken, MarkSpots {
  /** What callers get: frozen, and nothing of ours in it. */
  readonly verified: VerifiedToken;
  readonly from: number;
  readonly until: number;
  unmarkedAt: number;
}

function entryOf(verified: VerifiedToken, clockTolerance: number): Entry {
  const { header, claims } = verified;
  const nbf = typeof claims['nbf'] === 'number' ? claims['nbf'] : claims.iat;
  return {
    header,
    claims,
    verified: Object.freeze(verified),
    from: Math.max(claims.iat, nbf) - clockTolerance,
    until: claims.exp + clockTolerance,
    unmarkedAt: -1,
    ...spotsOf(claims),
  };
}

const notReady = 'there are no keys and revocations yet';

/** Throws one TypeError that lists every fault of the options. */
export function createVerifier(options: VerifierOptions): Verifier {
  const settings = readOptions(options);
  const { issuer, audience, clockTolerance, maxTokenLife } = settings;
  const listeners = new Set<(mark: Mark) => void>();
  const cache = createSignatureCache(settings.signatureCacheBytes);
  const doorkeeper = createDoorkeeper();
  const reader = createReader(settings.agent, settings.client);
  const tellAll = (mark: Mark): void => tell(listeners, mark);
  const onMark = () => (listeners.size === 0 ? undefined : tellAll);
  const onWithdrawnKey = (): void => cache.clear();
  const knowledge =
    settings.fixedKeys === undefined
      ? createRemoteKnowledge(settings, reader, { onMark, onWithdrawnKey })
      : createFixedKnowledge(settings.fixedKeys);
  const { marks } = knowledge;
  const { now } = settings;

  const requireUnmarked = ({ claims, header }: VerifiedToken, clock: number): void => {
    const hit = marks.hit(claims, header.kid, clock);
    if (hit !== undefined) throw new TokenError(hit, `a mark says ${hit}`);
  };

  const requireNews = (wall: number, sensitive: boolean): void => {
    if (!knowledge.holds(wall, sensitive))
      throw new TokenError('signals_stale', 'no news from the issuer for too long');
  };

  /** Everything that may have changed since the signature was verified. */
  const admit = (entry: Entry, sensitive: boolean): VerifiedToken => {
    const wall = now();
    const clock = knowledge.clock(wall);
    const seconds = Math.floor(clock / 1000);
    if (seconds < entry.from || seconds >= entry.until) {
      checkAccessTokenClaims(entry.claims, { issuer, audience, clockTolerance, maxTokenLife, now: clock });
    }
    if (entry.unmarkedAt !== marks.version) {
      if (marks.mayHitSince(entry, entry.unmarkedAt)) requireUnmarked(entry, clock);
      entry.unmarkedAt = marks.version;
    }
    requireNews(wall, sensitive);
    return entry.verified;
  };

  /** A key that was removed has left the key set too; its holders must hear that a new token helps. */
  const withoutKey = (kid: string): TokenError =>
    marks.hit({}, kid, knowledge.clock(now())) === 'revoked'
      ? new TokenError('revoked', 'a mark says revoked')
      : new TokenError('unknown_key', 'no key with this kid');

  const verifyNew = (token: unknown, sensitive: boolean): VerifiedToken => {
    if (!knowledge.known) throw new TokenError('unavailable', notReady);
    const parsed = parseAccessToken(token);
    const key = knowledge.keys?.get(parsed.header.kid);
    if (key === undefined) throw withoutKey(parsed.header.kid);
    const verified = verifyAccessTokenSignature(parsed, key);
    const wall = now();
    const clock = knowledge.clock(wall);
    checkAccessTokenClaims(verified.claims, { issuer, audience, clockTolerance, maxTokenLife, now: clock });
    requireUnmarked(verified, clock);
    requireNews(wall, sensitive);
    if (doorkeeper.knows(parsed.token)) cache.set(parsed.token, entryOf(verified, clockTolerance));
    return Object.freeze(verified);
  };

  const verifySync = (token: unknown, options?: VerifyOptions): VerifiedToken => {
    const sensitive = options?.sensitive === true;
    // Only entries of ours are ever put in.
    const entry = typeof token === 'string' ? (cache.get(token) as Entry | undefined) : undefined;
    return entry === undefined ? verifyNew(token, sensitive) : admit(entry, sensitive);
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
        decides: { normal: knowledge.holds(now(), false), sensitive: knowledge.holds(now(), true) },
        connected: signals?.connected ?? false,
        mode: settings.signals,
        instance: reader.instance,
        registered: reader.registered,
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
    isRevoked: (claims, kid) => marks.hit(claims, kid, knowledge.clock(now())),
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
