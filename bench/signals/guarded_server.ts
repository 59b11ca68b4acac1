// One service, guarded in one of three ways. All of them verify the signature with our verifier, whose cache makes that cheap; they differ
// in how they learn that a token was taken back:
//   verifier       from the signals, in memory (`createVerifier({ issuer, audience })`)
//   introspection  by asking the authorization server about every request (RFC 7662), nothing cached, or a revocation would wait
//   redis          by asking Redis about every request: `EXISTS denied:<jti>`
// Without its answer a guard refuses (503), except `open`, a Redis guard that lets requests pass then.
//   node guarded_server.ts '<GuardOptions as JSON>'   → prints "ready PORT"
// `/sensitive` is a sensitive route, `/write` asks for records:write, everything else for a good token.
import { createServer, type IncomingMessage } from 'node:http';
import { flushCompileCache } from 'node:module';
import { hasPermission, refusalOf, TokenError, type VerifiedToken } from '@latchkey/core';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { createIntrospection } from './introspection.ts';
import type { RegisteredClient } from './people.ts';
import { createRedis } from './redis.ts';

export interface GuardOptions {
  readonly kind: 'verifier' | 'introspection' | 'redis';
  readonly issuer: string;
  readonly audience: string;
  readonly authPort: number;
  /** What introspection asks with. */
  readonly client?: RegisteredClient;
  readonly redisPort?: number;
  /** What the Redis guard does without Redis. @default false */
  readonly open?: boolean;
}

type Guard = (token: string, sensitive: boolean) => VerifiedToken | Promise<VerifiedToken>;

/** How long a guard waits for the one it asks. */
const patience = 1_000;

function openVerifier({ issuer, audience, authPort, kind }: GuardOptions): Verifier {
  const issuerAddress = `http://127.0.0.1:${authPort}/auth`;
  return createVerifier({
    issuer,
    audience,
    issuerAddress,
    signals: kind === 'verifier' ? 'stream' : 'off',
  });
}

function createGuard(options: GuardOptions, verifier: Verifier): Guard {
  if (options.kind === 'verifier')
    return (token, sensitive) => {
      try {
        return verifier.verifySync(token, { sensitive });
      } catch (error) {
        const later = error instanceof TokenError && ['unknown_key', 'unavailable'].includes(error.code);
        if (!later) throw error;
      }
      return verifier.verify(token, { sensitive });
    };
  const isLive =
    options.kind === 'introspection'
      ? createIntrospection(options.authPort, options.client as RegisteredClient, patience)
      : createRedisCheck(options);
  return async (token) => {
    const verified = await verifier.verify(token);
    let live: boolean;
    try {
      live = await isLive(token, verified);
    } catch {
      throw new TokenError('unavailable', 'nobody said whether the token lives');
    }
    if (!live) throw new TokenError('revoked', 'the token was taken back');
    return verified;
  };
}

function createRedisCheck({ redisPort = 0, open = false }: GuardOptions) {
  const redis = createRedis(redisPort, patience);
  return async (_token: string, { claims }: VerifiedToken): Promise<boolean> => {
    try {
      return (await redis.command('EXISTS', `denied:${claims.jti}`)) === 0;
    } catch (error) {
      if (open) return true;
      throw error;
    }
  };
}

async function answer(request: IncomingMessage, guard: Guard): Promise<readonly [number, string]> {
  try {
    const token = (request.headers.authorization ?? '').slice('Bearer '.length);
    const path = request.url ?? '';
    const guarded = guard(token, path.startsWith('/sensitive'));
    const { claims } = guarded instanceof Promise ? await guarded : guarded;
    if (path.startsWith('/write') && !hasPermission(claims, 'records:write'))
      return [403, '{"error":"insufficient_scope","reason":"insufficient_scope"}'];
    return [200, `{"hello":"${claims.sub}"}`];
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    const { status, body } = refusalOf(error);
    return [status, JSON.stringify(body)];
  }
}

const options = JSON.parse(process.argv[2] ?? '{}') as GuardOptions;
const verifier = openVerifier(options);
const guard = createGuard(options, verifier);
const server = createServer(async (request, response) => {
  request.resume();
  const [status, body] = await answer(request, guard);
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  response.writeHead(status, headers).end(body);
});
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => {
  console.log(`ready ${(server.address() as { port: number }).port}`);
  flushCompileCache();
});
