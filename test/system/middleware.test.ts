// The middleware in real servers: node:http, Fastify, and fetch-style handlers. All must answer alike (RFC 6750 §3).
import assert from 'node:assert/strict';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, test } from 'node:test';
import { exportPublicJwk, generateKeyPair, signAccessToken } from '@latchkey/core';
import { requireToken as fastifyToken, tokenPlugin } from '@latchkey/core/fastify';
import { authenticate, requireToken as honoToken } from '@latchkey/core/fetch';
import { requireToken } from '@latchkey/core/http';
import { createVerifier } from '@latchkey/core/verifier';
import fastify from 'fastify';
import { someClaims } from '../support/issuer.ts';

const party = { issuer: 'https://id.example.com/auth', audience: 'https://api.example.com' };
const { signingKey } = generateKeyPair('ES256');
const verifier = createVerifier({ ...party, jwks: { keys: [exportPublicJwk(signingKey)] } });
const token = (claims: object = {}): string =>
  signAccessToken({ ...someClaims(party), ...claims }, signingKey);

const servers: { readonly name: string; readonly origin: string; close(): Promise<void> }[] = [];

async function listen(name: string, server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push({
    name,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** Each server: `/read` needs a permission, `/doctor` a role, `/any` just a token; each answers with the subject. */
before(async () => {
  const guards = {
    '/read': { permission: 'records:read' },
    '/doctor': { role: 'doctor' },
    '/any': {},
  } as const;
  const http = Object.entries(guards).map(
    ([path, requirement]) => [path, requireToken(verifier, requirement)] as const,
  );
  await listen(
    'node:http',
    createServer(async (request, response) => {
      const guard = new Map(http).get(new URL(request.url ?? '/', 'http://x').pathname);
      const auth = await guard?.(request, response);
      if (auth !== undefined) response.end(auth.claims.sub);
    }),
  );
  await listen(
    'node:http with next',
    createServer((request, response) => {
      const guard = new Map(http).get(new URL(request.url ?? '/', 'http://x').pathname);
      const marked: typeof request & { auth?: { claims: { sub: string } } } = request;
      void guard?.(request, response, (error) => response.end(error ? 'fault' : marked.auth?.claims.sub));
    }),
  );
  const app = fastify();
  for (const [path, requirement] of Object.entries(guards)) {
    app.get(path, { onRequest: fastifyToken(verifier, requirement) }, async (request) => {
      return (request as unknown as { auth: { claims: { sub: string } } }).auth.claims.sub;
    });
  }
  await app.ready();
  await listen('Fastify', app.server);
  const plugged = fastify();
  for (const [path, requirement] of Object.entries(guards)) {
    await plugged.register(async (scope) => {
      await scope.register(tokenPlugin, { verifier, ...requirement });
      scope.get(
        path,
        async (request) => (request as unknown as { auth: { claims: { sub: string } } }).auth.claims.sub,
      );
    });
  }
  await plugged.ready();
  await listen('Fastify plugin', plugged.server);
  await listen(
    'fetch',
    createServer(async (request, response) => {
      const path = new URL(request.url ?? '/', 'http://x').pathname as keyof typeof guards;
      const outcome = await authenticate(asRequest(request.rawHeaders), verifier, guards[path]);
      if ('auth' in outcome) return void response.end(outcome.auth.claims.sub);
      await copy(outcome.response, response);
    }),
  );
  await listen(
    'Hono',
    createServer(async (request, response) => {
      const path = new URL(request.url ?? '/', 'http://x').pathname as keyof typeof guards;
      const kept: { sub?: string } = {};
      const context = {
        req: { raw: asRequest(request.rawHeaders) },
        set: (_name: 'auth', value: { claims: { sub: string } }) =>
          void Object.assign(kept, { sub: value.claims.sub }),
      };
      const refusal = await honoToken(verifier, guards[path])(
        context,
        async () => void response.end(kept.sub),
      );
      if (refusal !== undefined) await copy(refusal, response);
    }),
  );
});

after(async () => {
  for (const server of servers) await server.close();
});

function asRequest(rawHeaders: readonly string[]): Request {
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2)
    headers.append(rawHeaders[at] as string, rawHeaders[at + 1] as string);
  return new Request('http://x/', { headers });
}

async function copy(
  from: Response,
  to: { writeHead(s: number, h: Record<string, string>): unknown; end(b: string): unknown },
) {
  to.writeHead(from.status, Object.fromEntries(from.headers));
  to.end(await from.text());
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

function get(origin: string, path: string, headers: Record<string, string | string[]>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${origin}${path}`, { headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    request.on('error', reject).end();
  });
}

const bearer = (value: string) => ({ authorization: `Bearer ${value}` });

test('a good token reaches the handler, with its claims', async () => {
  for (const { name, origin } of servers) {
    for (const path of ['/read', '/doctor', '/any']) {
      const answer = await get(origin, path, bearer(token({ sub: 'ada' })));
      assert.deepEqual([answer.status, answer.text], [200, 'ada'], `${name} ${path}`);
    }
  }
});

test('refusals: the same status, challenge and body everywhere, with the id of the request', async () => {
  const now = Math.floor(Date.now() / 1000);
  const cases: [string, string, Record<string, string | string[]>, number, string, string | undefined][] = [
    ['no token', '/any', {}, 401, 'invalid_token', 'missing'],
    ['another scheme', '/any', { authorization: 'Basic YTpi' }, 401, 'invalid_token', 'missing'],
    ['a token in the query', `/any?access_token=${token()}`, {}, 401, 'invalid_token', 'missing'],
    ['not a token', '/any', bearer('abc'), 401, 'invalid_token', 'malformed'],
    ['expired', '/any', bearer(token({ iat: now - 400, exp: now - 100 })), 401, 'invalid_token', 'expired'],
    [
      'a foreign audience',
      '/any',
      bearer(token({ aud: 'https://x.example' })),
      401,
      'invalid_token',
      'invalid',
    ],
    [
      'no permission',
      '/read',
      bearer(token({ scope: 'records:readers records' })),
      403,
      'insufficient_scope',
      'insufficient_scope',
    ],
    [
      'no role',
      '/doctor',
      bearer(token({ roles: ['nurse'] })),
      403,
      'insufficient_scope',
      'insufficient_scope',
    ],
    ['two spaces', '/any', { authorization: `Bearer  ${token()}` }, 400, 'invalid_request', undefined],
    [
      'two tokens',
      '/any',
      { authorization: [`Bearer ${token()}`, `Bearer ${token()}`] },
      400,
      'invalid_request',
      undefined,
    ],
  ];
  for (const { name, origin } of servers) {
    for (const [what, path, headers, status, error, reason] of cases) {
      const answer = await get(origin, path, { ...headers, 'x-request-id': 'req-1' });
      const words = `${name}: ${what}`;
      assert.equal(answer.status, status, words);
      const body = JSON.parse(answer.text) as Record<string, string>;
      assert.deepEqual([body['error'], body['reason']], [error, reason], words);
      assert.match(
        String(answer.headers['www-authenticate']),
        reason === 'missing' ? /^Bearer$/ : new RegExp(`^Bearer error="${error}"`),
        words,
      );
      assert.equal(answer.headers['cache-control'], 'no-store', words);
      assert.match(String(answer.headers['content-type']), /^application\/json/, words);
      if (!name.startsWith('Fastify')) assert.equal(body['request_id'], 'req-1', words);
      assert.equal(body['request_id'], answer.headers['x-request-id'], words);
    }
  }
});

test('an id of the request that is long or strange is not repeated', async () => {
  for (const { origin } of servers) {
    const { text, headers } = await get(origin, '/any', { 'x-request-id': '<script>' });
    assert.ok(!text.includes('<script>') && headers['x-request-id'] !== '<script>');
  }
});

test('a fault of ours goes to `next`, never to the client as a 401', async () => {
  const broken = { verify: async () => Promise.reject(new Error('broken')) };
  const request = { rawHeaders: ['authorization', 'Bearer a.b.c'], headers: {} };
  const response = { writeHead: () => assert.fail(), end: () => assert.fail() };
  let heard: unknown;
  await requireToken(broken)(request, response, (error) => {
    heard = error;
  });
  assert.match(String(heard), /broken/);
  await assert.rejects(requireToken(broken)(request, response), /broken/);
  await assert.rejects(authenticate(asRequest(request.rawHeaders), broken), /broken/);
});

test('a requirement that would require less than was meant is a TypeError', () => {
  for (const make of [requireToken, fastifyToken, honoToken]) {
    assert.throws(() => make(verifier, { permision: 'x' } as never), TypeError);
    assert.throws(() => make(verifier, { permission: '' }), TypeError);
    assert.throws(() => make(verifier, { role: undefined } as never), TypeError);
    assert.throws(() => make(verifier, { sensitive: 'yes' } as never), TypeError);
  }
});

test('two Authorization headers in one raw request', async () => {
  for (const { name, origin } of servers) {
    const { port } = new URL(origin);
    const text = await new Promise<string>((resolve) => {
      let all = '';
      const socket = connect(Number(port), '127.0.0.1', () =>
        socket.write(
          `GET /any HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token()}\r\nauthorization: Basic YTpi\r\nConnection: close\r\n\r\n`,
        ),
      );
      socket.on('data', (chunk) => {
        all += chunk.toString();
      });
      socket.on('close', () => resolve(all));
    });
    assert.match(text, /^HTTP\/1\.1 400 /, name);
  }
});
