// One endpoint, `GET /hello`, on node:http, guarded in one of three ways. Only the guard differs:
//   node guarded_server.ts token|session|better-auth FOLDER   → prints "ready PORT"
import { createServer, type IncomingMessage } from 'node:http';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createVerifier } from '@latchkey/core/verifier';
import { audience, issuer } from '../tokens/material.ts';
import { readJwks } from './people.ts';

/** Answers with the user's id, or undefined for 401. */
type Guard = (request: IncomingMessage) => string | undefined | Promise<string | undefined>;

function tokenGuard(folder: string): Guard {
  const verifier = createVerifier({ issuer, audience, jwks: readJwks(folder) });
  return ({ headers: { authorization = '' } }) => {
    try {
      return verifier.verifySync(authorization.slice('Bearer '.length)).claims.sub;
    } catch {
      return undefined;
    }
  };
}

function sessionGuard(folder: string): Guard {
  const database = new DatabaseSync(join(folder, 'sessions.db'));
  const select = database.prepare(
    'SELECT user_id, username, roles FROM sessions WHERE id = ? AND expires_at > unixepoch()',
  );
  return ({ headers: { cookie = '' } }) => {
    const row = select.get(cookie.slice('session='.length));
    return row === undefined ? undefined : String(row['user_id']);
  };
}

async function betterAuthGuard(folder: string, port: number): Promise<Guard> {
  const { createBetterAuth } = await import('../auth/better_auth_server.ts');
  const auth = await createBetterAuth(join(folder, 'better_auth.db'), port);
  return async ({ headers: { cookie = '' } }) => {
    const session = await auth.api.getSession({ headers: new Headers({ cookie }) });
    return session?.user.id;
  };
}

const [kind = '', folder = '.'] = process.argv.slice(2);
const server = createServer();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as { port: number };
const guard =
  kind === 'token'
    ? tokenGuard(folder)
    : kind === 'session'
      ? sessionGuard(folder)
      : await betterAuthGuard(folder, port);

server.on('request', async (request, response) => {
  const found = guard(request);
  const user = found instanceof Promise ? await found : found;
  const body = user === undefined ? '{"error":"invalid_token"}' : `{"hello":"${user}"}`;
  response.writeHead(user === undefined ? 401 : 200, {
    'content-type': 'application/json',
    'content-length': body.length,
  });
  response.end(body);
});
console.log(`ready ${port}`);
flushCompileCache();
