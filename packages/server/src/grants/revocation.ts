// Revocation (RFC 7009) and introspection (RFC 7662): what a registered client may ask about single tokens. Both answer
// the same for every token that is not live, so that nothing can be learnt by guessing.
import type { AccessTokenClaims } from '@latchkey/core';
import { AuthError } from '../errors.ts';
import type { RefreshKeyring } from '../keys/refresh_keyring.ts';
import { openRefreshToken } from '../keys/refresh_token.ts';
import type { SigningKeyring } from '../keys/signing_keyring.ts';
import { clockSkew } from '../rules/lifetimes.ts';
import type { SignalPublisher } from '../signals/publisher.ts';
import { insertAudit, type Origin } from '../storage/audit.ts';
import type { Client } from '../storage/clients.ts';
import type { Database } from '../storage/database.ts';
import { readSessionState } from '../storage/sessions.ts';
import { isMarked } from '../storage/signals.ts';
import { isStale, liveSubject, readOwnToken } from './live_token.ts';
import type { SessionEnder } from './sessions.ts';

export interface TokenRevocation {
  /**
   * Kills an access token, or the session of a refresh token. Throws AuthError `invalid_grant` when the token is another
   * client's and the caller lacks the scope `revocation`; any other token that is not live is a success (RFC 7009 §2.2).
   */
  revoke(token: string, client: Client, origin: Origin): Promise<void>;
  /** Kills the access token with this id, for an administrator who knows nothing else of it. */
  revokeId(jti: string, origin: Origin): Promise<void>;
  /** The claims of a live access token that is meant for an audience of this client; undefined for anything else. */
  introspect(token: string, client: Client): Promise<AccessTokenClaims | undefined>;
}

export interface TokenRevocationOptions {
  readonly database: Database;
  readonly signingKeys: SigningKeyring;
  readonly refreshKeys: RefreshKeyring;
  readonly signals: SignalPublisher;
  readonly sessions: SessionEnder;
  readonly issuer: string;
  /** `aud` of ordinary tokens: every client may introspect these. */
  readonly audience: string;
  /** Milliseconds. */
  readonly sessionIdle: number;
  readonly now: () => number;
}

function mustOwn(client: Client, issuedTo: string): void {
  if (issuedTo === client.id || client.scopes.includes('revocation')) return;
  throw new AuthError('invalid_grant', 'The token was issued to another client.');
}

export function createTokenRevocation(options: TokenRevocationOptions): TokenRevocation {
  const { database, signals } = options;

  function readOwn(token: string, clockTolerance: number): AccessTokenClaims | undefined {
    const { issuer, signingKeys } = options;
    const keys = signingKeys.verificationKeys;
    return readOwnToken(token, { issuer, keys, now: options.now(), clockTolerance });
  }

  async function revokeSession(token: string, client: Client, origin: Origin): Promise<void> {
    const content = openRefreshToken(token, options.refreshKeys.all);
    const session = content && (await readSessionState(database, content.sessionId));
    if (content === undefined || session === undefined) return;
    mustOwn(client, session.clientId);
    await options.sessions.end(content.sessionId, 'revoked', origin);
  }

  async function revokeId(jti: string, origin: Origin): Promise<void> {
    await database.write(async (tx) => {
      if (await isMarked(tx, 'jti', jti)) return;
      await insertAudit(tx, origin, { action: 'token.revoke', target: jti, outcome: 'success' });
      await signals.mark(tx, { kind: 'revoke', by: 'jti', value: jti });
    });
  }

  return {
    revokeId,
    async revoke(token, client, origin) {
      if (token.startsWith('lkr_')) return await revokeSession(token, client, origin);
      // Somewhere it is believed as long as clocks may differ: a mark reaches it there.
      const claims = readOwn(token, clockSkew);
      if (claims === undefined) return;
      mustOwn(client, claims.client_id);
      await revokeId(claims.jti, origin);
    },
    async introspect(token, client) {
      const claims = readOwn(token, 0);
      if (claims === undefined) return undefined;
      const audiences = [options.audience, ...client.audiences];
      if (![claims.aud].flat().every((audience) => audiences.includes(audience))) return undefined;
      const subject = await liveSubject(database, claims, options.sessionIdle);
      return subject === undefined || (await isStale(database, claims, subject)) ? undefined : claims;
    },
  };
}
