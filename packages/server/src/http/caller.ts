// Who is calling. Tokens of our own are checked like everybody checks them, and then against the live state: an ended
// session, a raised `ver` and a changed role count here at once (threat A04).
import { timingSafeEqual } from 'node:crypto';
import { hasPermission, TokenError, verifyAccessToken } from '@latchkey/core';
import type { FastifyRequest } from 'fastify';
import { AuthError } from '../errors.ts';
import { liveSubject } from '../grants/live_token.ts';
import type { RoleTable } from '../grants/role_table.ts';
import type { SigningKeyring } from '../keys/signing_keyring.ts';
import { type AdminPermission, permissionsOf } from '../rules/permissions.ts';
import { type Client, findClient, hashClientSecret } from '../storage/clients.ts';
import type { Database } from '../storage/database.ts';
import type { Access } from './endpoint.ts';

export type Caller =
  | {
      readonly kind: 'user';
      readonly userId: string;
      readonly username: string;
      readonly sessionId: string;
      readonly clientId: string;
      readonly audience: string;
      readonly roles: readonly string[];
      /** What the roles give now, whatever the token says. */
      readonly permissions: ReadonlySet<string>;
    }
  | { readonly kind: 'client'; readonly client: Client }
  /** The command line on the local socket: file permissions let it in, and it may do everything. */
  | { readonly kind: 'operator' };

export interface AuthenticatorOptions {
  readonly database: Database;
  readonly signingKeys: SigningKeyring;
  readonly roleTable: (rver: number) => Promise<RoleTable>;
  readonly issuer: string;
  /** `aud` of ordinary tokens; the administration takes only the issuer's own. */
  readonly audience: string;
  /** Milliseconds. */
  readonly sessionIdle: number;
  readonly now: () => number;
  /** Whether the request came over the operator's socket. */
  readonly isOperator: (request: FastifyRequest) => boolean;
}

export interface Authenticator {
  /** Throws AuthError or TokenError; undefined for public endpoints. */
  authenticate(request: FastifyRequest, access: Access): Promise<Caller | undefined>;
  /** The bearer of this request's token, whatever the audience; undefined when there is no token. */
  optionalUser(request: FastifyRequest): Promise<Extract<Caller, { kind: 'user' }> | undefined>;
  /** RFC 6749 §2.3.1: HTTP Basic. Undefined when the request carries none; throws `invalid_client` for a wrong one. */
  client(request: FastifyRequest): Promise<Client | undefined>;
}

/** The one Authorization header; several are refused (RFC 6750 §2). */
function authorizationOf(request: FastifyRequest): string | undefined {
  const values: string[] = [];
  for (let i = 0; i < request.raw.rawHeaders.length; i += 2) {
    if (request.raw.rawHeaders[i]?.toLowerCase() === 'authorization')
      values.push(request.raw.rawHeaders[i + 1] ?? '');
  }
  if (values.length > 1)
    throw new AuthError('invalid_request', 'The request has more than one Authorization header.');
  return values[0];
}

function bearerOf(request: FastifyRequest): string | undefined {
  const authorization = authorizationOf(request);
  if (authorization === undefined) return undefined;
  const match = /^bearer ([^\s,]+)$/i.exec(authorization);
  if (match === null)
    throw new TokenError('malformed', 'the Authorization header is not Bearer and one token');
  return match[1];
}

function basicOf(request: FastifyRequest): { id: string; secret: string } | undefined {
  const match = /^basic ([A-Za-z0-9+/]+=*)$/i.exec(authorizationOf(request) ?? '');
  const text = match === null ? '' : Buffer.from(match[1] ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 1 ? undefined : { id: text.slice(0, colon), secret: text.slice(colon + 1) };
}

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { database } = options;

  function verify(token: string, audiences: readonly string[]) {
    const common = { issuer: options.issuer, now: options.now(), clockTolerance: 30, maxTokenLife: 3600 };
    return verifyAccessToken(token, options.signingKeys.verificationKeys, { ...common, audience: audiences });
  }

  async function userOf(token: string, audiences: readonly string[]) {
    const { claims } = verify(token, audiences);
    const subject = await liveSubject(database, claims, options.sessionIdle);
    if (subject === undefined) throw new TokenError('revoked', 'the session is over');
    const table = await options.roleTable(subject.rver);
    return {
      kind: 'user' as const,
      userId: subject.userId,
      username: subject.username,
      sessionId: subject.sessionId,
      clientId: subject.clientId,
      audience: typeof claims.aud === 'string' ? claims.aud : (claims.aud[0] ?? ''),
      roles: subject.roles,
      permissions: permissionsOf(subject.roles, table.roles),
      claims,
    };
  }

  async function user(request: FastifyRequest) {
    const token = bearerOf(request);
    if (token === undefined) throw new TokenError('missing_token', 'no token');
    return await userOf(token, [options.audience, options.issuer]);
  }

  /** The token must have been issued for the administration and carry the permission, and the roles must still give it. */
  async function administrator(request: FastifyRequest, permission: AdminPermission): Promise<Caller> {
    if (options.isOperator(request)) return { kind: 'operator' };
    const token = bearerOf(request);
    if (token === undefined) throw new TokenError('missing_token', 'no token');
    const caller = await userOf(token, [options.issuer]);
    if (!hasPermission(caller.claims, permission) || !caller.permissions.has(permission)) {
      throw new TokenError('insufficient_scope', 'the permission is missing');
    }
    return caller;
  }

  async function client(request: FastifyRequest): Promise<Client | undefined> {
    if (!/^basic /i.test(authorizationOf(request) ?? '')) return undefined;
    const credential = basicOf(request);
    const found = credential && (await findClient(database, credential.id));
    // An unknown client costs a comparison too.
    const expected = Buffer.from(found?.secretHash ?? hashClientSecret(''));
    const given = Buffer.from(hashClientSecret(credential?.secret ?? ''));
    if (!timingSafeEqual(expected, given) || found === undefined) {
      throw new AuthError('invalid_client', 'The client credential is not right.');
    }
    return found;
  }

  return {
    async authenticate(request, access) {
      if (access === 'public') return undefined;
      if (access === 'user') return await user(request);
      if (access !== 'client') return await administrator(request, access.permission);
      const found = await client(request);
      if (found === undefined)
        throw new AuthError('invalid_client', 'This call needs a client credential (HTTP Basic).');
      return { kind: 'client', client: found };
    },
    async optionalUser(request) {
      const token = bearerOf(request);
      return token === undefined ? undefined : await userOf(token, [options.audience, options.issuer]);
    },
    client,
  };
}
