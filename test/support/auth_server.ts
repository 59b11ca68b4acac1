// A real auth server on a directory of its own and a free port, with an administrator signed in: what tests of endpoints,
// sessions and attacks begin with. Nothing is mocked; attempt limits are high unless a test sets them.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuthServer, type AuthServerOptions, createAuthServer } from '@latchkey/server';

export interface CallOptions {
  /** A bearer token. */
  readonly token?: string;
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  /** Sent as application/x-www-form-urlencoded. */
  readonly form?: Readonly<Record<string, string>> | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Every member that some answer has: a test names those it expects. */
export interface AnswerBody extends Tokens {
  readonly error: string;
  readonly error_description: string;
  readonly reason: string;
  readonly request_id: string;
  readonly items: readonly AnswerBody[];
  readonly next: string | undefined;
  readonly id: string;
  readonly username: string;
  readonly email: string | undefined;
  readonly roles: readonly string[];
  readonly disabled: boolean;
  readonly created_at: string;
  readonly user_id: string;
  readonly current: boolean | undefined;
  readonly user_agent: string;
  readonly ip: string;
  readonly name: string;
  readonly permissions: readonly string[];
  readonly description: string | undefined;
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  readonly secret: string;
  readonly client_id: string;
  readonly kid: string;
  readonly alg: string;
  readonly state: string;
  readonly keys: readonly AnswerBody[];
  readonly actor: string;
  readonly at: string;
  readonly action: string;
  readonly target: string;
  readonly outcome: string;
  readonly active: boolean;
  readonly sub: string;
  readonly token_type: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed JSON; empty where there is none. What it really holds is for the test to check. */
  readonly body: AnswerBody;
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly refresh_expires_in: number;
  readonly session_id: string;
  readonly device: string;
}

export interface TestUser {
  readonly id: string;
  readonly username: string;
  readonly password: string;
}

export interface TestAuthServer {
  /** `http://127.0.0.1:<port>`, without a path. */
  readonly url: string;
  readonly internalUrl: string;
  readonly socketPath: string;
  readonly issuer: string;
  readonly audience: string;
  readonly dataDir: string;
  readonly server: AuthServer;
  /** The administrator's access token for the administration (`aud` = issuer). */
  readonly adminToken: string;
  readonly admin: TestUser;
  /** Signs in and answers the tokens; fails the test on any answer but 200. */
  login(username: string, password: string, extra?: Readonly<Record<string, unknown>>): Promise<Tokens>;
  /** The same for the administration: the token's `aud` is the issuer. */
  adminLogin(username: string, password: string): Promise<Tokens>;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** As the local operator, over the Unix socket. */
  operator(method: string, path: string, body?: unknown): Promise<Answer>;
  refresh(refreshToken: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  createUser(
    username: string,
    extra?: { readonly roles?: readonly string[]; readonly email?: string; readonly password?: string },
  ): Promise<TestUser>;
  createRole(name: string, permissions: readonly string[]): Promise<void>;
  /** Stops the server and removes its directory. */
  close(): Promise<void>;
}

export const testIssuer = 'http://127.0.0.1:8080/auth';
export const adminPassword = 'correct horse battery staple';
export const userPassword = 'a quiet brook over stones';

/** Overrides replace top-level options; `limits` are merged. */
export async function startAuthServer(overrides: Partial<AuthServerOptions> = {}): Promise<TestAuthServer> {
  const dataDir = overrides.dataDir ?? mkdtempSync(join(tmpdir(), 'lk-'));
  const { limits, ...rest } = overrides;
  const server = await createAuthServer({
    issuer: testIssuer,
    dataDir,
    listen: { host: '127.0.0.1', port: 0 },
    internal: { host: '127.0.0.1', port: 0 },
    admin: { password: adminPassword },
    logLevel: 'silent',
    ...rest,
    limits: {
      attemptsPerAccountAndAddress: 100_000,
      attemptsPerAddress: 100_000,
      attemptsPerAccount: 100_000,
      refreshesPerMinute: 1_000_000,
      ...limits,
    },
  });
  const listening = await server.listen();
  const url = listening.address ?? '';
  const socketPath = listening.socket ?? '';
  const issuer = overrides.issuer ?? testIssuer;

  const call = (method: string, path: string, options: CallOptions = {}) =>
    send(`${url}${path}`, method, options);

  async function login(
    username: string,
    password: string,
    extra: Readonly<Record<string, unknown>> = {},
  ): Promise<Tokens> {
    const answer = await call('POST', '/auth/login', { body: { username, password, ...extra } });
    assert.equal(answer.status, 200, answer.text);
    return answer.body as Tokens;
  }

  const adminLogin = (username: string, password: string) => login(username, password, { audience: issuer });
  const admin = overrides.admin ?? { password: adminPassword };
  const adminName = admin.username ?? 'admin';
  const { access_token: adminToken } = await adminLogin(adminName, admin.password ?? '');
  const me = await call('GET', '/auth/me', { token: adminToken });

  async function expect(status: number, path: string, body: unknown): Promise<Answer> {
    const answer = await call('POST', path, { token: adminToken, body });
    assert.equal(answer.status, status, answer.text);
    return answer;
  }

  return {
    url,
    internalUrl: listening.internal ?? '',
    socketPath,
    issuer,
    audience: overrides.audience ?? new URL(issuer).origin,
    dataDir,
    server,
    adminToken,
    admin: { id: me.body.id, username: adminName, password: admin.password ?? '' },
    login,
    adminLogin,
    call,
    operator: (method, path, body) => sendOverSocket(socketPath, method, path, body),
    refresh: (refreshToken, headers = {}) =>
      call('POST', '/auth/token', {
        form: { grant_type: 'refresh_token', refresh_token: refreshToken },
        headers,
      }),
    async createUser(username, { password = userPassword, ...extra } = {}) {
      const answer = await expect(201, '/auth/admin/users', { username, password, ...extra });
      return { id: answer.body.id, username, password };
    },
    async createRole(name, permissions) {
      await expect(201, '/auth/admin/roles', { name, permissions });
    },
    async close() {
      await server.close();
      if (overrides.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function bodyOf(options: CallOptions): { type?: string; text?: string } {
  if (options.form !== undefined) {
    const text =
      typeof options.form === 'string' ? options.form : new URLSearchParams(options.form).toString();
    return { type: 'application/x-www-form-urlencoded', text };
  }
  if (options.body === undefined) return {};
  const text = typeof options.body === 'string' ? options.body : JSON.stringify(options.body);
  return { type: 'application/json', text };
}

async function send(address: string, method: string, options: CallOptions): Promise<Answer> {
  const { type, text } = bodyOf(options);
  const response = await fetch(address, {
    method,
    redirect: 'manual',
    headers: {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(type === undefined ? {} : { 'content-type': type }),
      ...options.headers,
    },
    ...(text === undefined ? {} : { body: text }),
  });
  return answerOf(response.status, response.headers, await response.text());
}

function answerOf(status: number, headers: Headers, text: string): Answer {
  const isJson = headers.get('content-type')?.startsWith('application/json') === true && text !== '';
  return { status, headers, text, body: isJson ? JSON.parse(text) : {} };
}

function sendOverSocket(socketPath: string, method: string, path: string, body: unknown): Promise<Answer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = {
      host: 'latchkey',
      ...(text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
    };
    const request = httpRequest({ socketPath, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const type = response.headers['content-type'];
        const answered = new Headers(type === undefined ? {} : { 'content-type': type });
        resolve(answerOf(response.statusCode ?? 0, answered, Buffer.concat(chunks).toString('utf8')));
      });
    });
    request.on('error', reject);
    request.end(text);
  });
}
