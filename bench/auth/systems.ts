// The three auth servers as the benches see them: how to start one, how to sign in, how to get the next access token.
import { join } from 'node:path';
import { type Child, scratchFolder, startChild } from '../harness/children.ts';
import {
  type Answer,
  buildRequest,
  type Connection,
  formRequest,
  headerOf,
  jsonRequest,
  openConnection,
} from '../harness/http_connection.ts';
import type { Client } from '../harness/load.ts';
import { firstEmail, firstPassword } from './people.ts';

export interface AuthSystem {
  readonly name: string;
  readonly child: Child;
  readonly port: number;
  /** One sign-in with the right password; throws unless it is a 200. */
  readonly signIn: (connection: Connection) => Promise<Answer>;
  /** Signs somebody in and returns a client that gets one new access token a call. */
  readonly startChain: (index: number) => Promise<Client>;
}

const ready = /\bready (\d+)/;

export function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status !== status) throw new Error(`expected ${status}, got ${answer.status}: ${answer.body}`);
  return answer;
}

export function field(answer: Answer, name: string): string {
  const value: unknown = (JSON.parse(answer.body) as Record<string, unknown>)[name];
  if (typeof value !== 'string') throw new Error(`no ${name} in the answer`);
  return value;
}

export async function startBetterAuth(core?: number): Promise<AuthSystem> {
  const script = join(import.meta.dirname, 'better_auth_server.ts');
  const command = [process.execPath, script, scratchFolder('better-auth')];
  const child = await startChild({ command, ready, core });
  const port = Number(child.ready);
  // Its Origin check refuses posts from nowhere once a cookie is sent along.
  const headers = { origin: `http://localhost:${port}` };
  const body = { email: firstEmail(0), password: firstPassword };
  const signInRequest = jsonRequest('/api/auth/sign-in/email', body, headers);
  const signIn = async (connection: Connection): Promise<Answer> =>
    expectStatus(await connection.send(signInRequest), 200);
  const startChain = async (): Promise<Client> => {
    const connection = openConnection(port);
    const cookie = headerOf(await signIn(connection), 'set-cookie')?.split(';')[0] ?? '';
    const request = buildRequest({ method: 'GET', path: '/api/auth/token', headers: { cookie } });
    return async () => void field(expectStatus(await connection.send(request), 200), 'token');
  };
  return { name: 'Better Auth', child, port, signIn, startChain };
}

export async function startOidcProvider(core?: number): Promise<AuthSystem> {
  const script = join(import.meta.dirname, 'oidc_provider_server.ts');
  const command = [process.execPath, script, scratchFolder('oidc-provider')];
  const child = await startChild({ command, ready, core });
  const port = Number(child.ready);
  const startChain = async (): Promise<Client> => {
    const connection = openConnection(port);
    const start = buildRequest({ method: 'GET', path: '/bench/refresh-token' });
    const first = field(expectStatus(await connection.send(start), 200), 'refresh_token');
    return refreshingClient(connection, '/token', first, { client_id: 'bench' });
  };
  const signIn = (): Promise<never> =>
    Promise.reject(new Error('oidc-provider leaves passwords to its user'));
  return { name: 'oidc-provider', child, port, signIn, startChain };
}

/** Follows one chain: each answer's refresh token is the next request's. Fails when the token does not rotate. */
export function refreshingClient(
  connection: Connection,
  path: string,
  first: string,
  fields: Readonly<Record<string, string>> = {},
): Client {
  let token = first;
  return async () => {
    const request = formRequest(path, { grant_type: 'refresh_token', refresh_token: token, ...fields });
    const answer = expectStatus(await connection.send(request), 200);
    const next = field(answer, 'refresh_token');
    if (next === token) throw new Error('the refresh token did not rotate: not a durable write');
    token = next;
  };
}
