// A small real issuer for the hospital's services: key set, signed snapshot, stream of signals. It signs with @latchkey/core,
// so that a service under test verifies exactly what it would verify in earnest.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AccessTokenClaims, generateKeyPair, signAccessToken, signJws } from '@latchkey/core';

export interface Person {
  readonly sub: string;
  readonly username: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
}

export interface Mark {
  readonly kind: 'revoke' | 'stale';
  readonly by: 'sid' | 'sub';
  readonly value: string;
  readonly below?: number;
}

export interface TestIssuer {
  readonly issuer: string;
  readonly audience: string;
  /** The claims of a fresh token, to be bent by a test. */
  claimsOf(person: Person, extra?: Record<string, unknown>): AccessTokenClaims;
  tokenFor(person: Person, extra?: Record<string, unknown>): string;
  /** Any payload under the real key, for tokens of another kind. */
  sign(header: Record<string, unknown>, payload: object): string;
  mark(mark: Mark): void;
  close(): Promise<void>;
}

const life = 300;

export async function startIssuer(): Promise<TestIssuer> {
  const { signingKey, publicJwk } = generateKeyPair('ES256');
  const epoch = randomBytes(9).toString('hex');
  const streams = new Set<ServerResponse>();
  const marks: Mark[] = [];
  const position = () => `${epoch}-${marks.length}-${marks.length === 0 ? 'start' : `tag${marks.length}`}`;
  const summary = () => ({ iss: issuer, epoch, seq: marks.length, as_of: Date.now(), max_life: life });
  const sign = (header: Record<string, unknown>, payload: object) =>
    signJws({ alg: 'ES256', kid: signingKey.kid, ...header }, JSON.stringify(payload), signingKey);
  const heartbeat = () => {
    const { as_of, seq, max_life } = summary();
    return `event: heartbeat\ndata: ${JSON.stringify({ as_of, seq, max_life })}\n\n`;
  };

  const answers: Record<string, (response: ServerResponse) => void> = {
    '/auth/.well-known/jwks.json': (response) => sendJson(response, JSON.stringify({ keys: [publicJwk] })),
    '/auth/signals/snapshot': (response) => {
      const head = summary();
      const body = JSON.stringify({ ...head, position: position(), marks });
      const sha256 = createHash('sha256').update(body).digest('base64url');
      response.setHeader('latchkey-signature', sign({ typ: 'signals+jwt' }, { ...head, sha256 }));
      sendJson(response, body);
    },
    '/auth/signals': (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(heartbeat());
      streams.add(response);
      response.on('close', () => streams.delete(response));
    },
  };
  const server = createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    if (answer === undefined) response.writeHead(404).end();
    else answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const audience = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = `${audience}/auth`;
  const timer = setInterval(() => {
    for (const stream of streams) stream.write(heartbeat());
  }, 1_000);

  const claimsOf: TestIssuer['claimsOf'] = (person, extra = {}) => {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: issuer,
      sub: person.sub,
      aud: audience,
      exp: now + life,
      iat: now,
      jti: randomBytes(12).toString('base64url'),
      sid: randomBytes(16).toString('base64url'),
      client_id: 'latchkey',
      auth_time: now,
      preferred_username: person.username,
      roles: [...person.roles],
      scope: person.permissions.join(' '),
      ver: 1,
      rver: 1,
      ...extra,
    };
  };

  return {
    issuer,
    audience,
    claimsOf,
    tokenFor: (person, extra) => signAccessToken(claimsOf(person, extra), signingKey),
    sign,
    mark(mark) {
      marks.push(mark);
      const { kind, ...data } = mark;
      const frame = `id: ${position()}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
      for (const stream of streams) stream.write(frame);
    },
    async close() {
      clearInterval(timer);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function sendJson(response: ServerResponse, body: string): void {
  response.setHeader('content-type', 'application/json').end(body);
}
