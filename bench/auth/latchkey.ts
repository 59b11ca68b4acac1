// Latchkey as it is installed: `latchkey auth` or `latchkey start` on an empty folder, default settings, except those that
// would stop a bench and not a person: attempt and refresh limits, and the grace time 0, so that every refresh is a
// durable write.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, scratchFolder, startChild } from '../harness/children.ts';
import {
  type Answer,
  buildRequest,
  type Connection,
  jsonRequest,
  openConnection,
} from '../harness/http_connection.ts';
import type { Client } from '../harness/load.ts';
import { firstPassword, firstUsername } from './people.ts';
import { type AuthSystem, expectStatus, field, refreshingClient } from './systems.ts';

const binary = join(import.meta.dirname, '../../packages/latchkey/bin/latchkey.mjs');

const many = 1_000_000_000;
const limits = {
  attemptsPerAccountAndAddress: many,
  attemptsPerAddress: many,
  attemptsPerAccount: many,
  attemptsPerDevice: many,
  refreshesPerMinute: many,
};

export const signInRequest: string = signInWith(firstUsername(0), firstPassword);

export function signInWith(username: string, password: string): string {
  return jsonRequest('/auth/login', { username, password });
}

export interface LatchkeyOptions {
  readonly core?: number | undefined;
  /** Seconds. @default 0 */
  readonly grace?: number;
  /** The folder to use; its data are kept. @default an empty one */
  readonly folder?: string;
}

function prepare({ grace = 0, folder = scratchFolder('latchkey') }: LatchkeyOptions) {
  writeFileSync(join(folder, 'latchkey.config.json'), JSON.stringify({ limits, log: 'warn' }));
  return {
    cwd: folder,
    env: {
      LATCHKEY_AUTH_PORT: '0',
      LATCHKEY_INTERNAL_PORT: '0',
      LATCHKEY_DATA_DIR: join(folder, 'data'),
      LATCHKEY_REFRESH_GRACE: String(grace),
      LATCHKEY_ADMIN_USERNAME: firstUsername(0),
      LATCHKEY_ADMIN_PASSWORD: firstPassword,
    },
  };
}

export async function startLatchkey(options: LatchkeyOptions = {}): Promise<AuthSystem> {
  const child = await startChild({
    command: [process.execPath, binary, 'auth'],
    ...prepare(options),
    ready: /listens on http:\/\/[^\s:]+:(\d+)/,
    core: options.core,
  });
  return systemAt(child, Number(child.ready));
}

export interface WholeSystem extends AuthSystem {
  /** Process ids by part: auth, gateway, … */
  readonly pids: Readonly<Record<string, number>>;
}

/** `latchkey start`: everything behind the gateway, on whose port the system is reached. */
export async function startWholeSystem(options: LatchkeyOptions = {}): Promise<WholeSystem> {
  const { cwd, env } = prepare(options);
  const child = await startChild({
    command: [process.execPath, binary, 'start', '--json'],
    cwd,
    env: { ...env, LATCHKEY_PORT: '0', LATCHKEY_GATEWAY_INTERNAL_PORT: '0' },
    ready: /^(\{[\s\S]*"pids"[\s\S]*\})\s*$/m,
  });
  const facts = JSON.parse(child.ready) as { public_url: string; pids: Record<string, number> };
  return { ...systemAt(child, Number(new URL(facts.public_url).port)), pids: facts.pids };
}

function systemAt(child: Child, port: number): AuthSystem {
  const signIn = async (connection: Connection): Promise<Answer> =>
    expectStatus(await connection.send(signInRequest), 200);
  const startChain = async (): Promise<Client> => {
    const connection = openConnection(port);
    return refreshingClient(connection, '/auth/token', field(await signIn(connection), 'refresh_token'));
  };
  return { name: 'latchkey', child, port, signIn, startChain };
}

/** Makes users `prefix0` … with the first password, through the admin API. */
export async function createPeople(system: AuthSystem, prefix: string, count: number): Promise<void> {
  const connection = openConnection(system.port);
  const token = await administratorToken(connection);
  const headers = { authorization: `Bearer ${token}` };
  for (let i = 0; i < count; i += 1) {
    const body = { username: `${prefix}${i}`, password: firstPassword };
    expectStatus(await connection.send(jsonRequest('/auth/admin/users', body, headers)), 201);
  }
  connection.close();
}

/** The admin API takes only tokens whose audience is the issuer, which the metadata names. */
async function administratorToken(connection: Connection): Promise<string> {
  const metadata = buildRequest({ method: 'GET', path: '/auth/.well-known/openid-configuration' });
  const audience = field(expectStatus(await connection.send(metadata), 200), 'issuer');
  const body = { username: firstUsername(0), password: firstPassword, audience };
  return field(expectStatus(await connection.send(jsonRequest('/auth/login', body)), 200), 'access_token');
}
