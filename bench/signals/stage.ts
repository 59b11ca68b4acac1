// What the proofs of signals run on: one `latchkey auth`, some `latchkey gateway`, a service behind them, each a process of its
// own as it is installed. Default settings, but for limits that stop a bench and not a person, and grace time 0.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { firstPassword, firstUsername } from '../auth/people.ts';
import { expectStatus, field } from '../auth/systems.ts';
import { type Child, scratchFolder, startChild } from '../harness/children.ts';
import { type Answer, buildRequest, jsonRequest } from '../harness/http_connection.ts';
import type { GuardOptions } from './guarded_server.ts';
import type { RegisteredClient } from './people.ts';
import { createPool, type Pool } from './pool.ts';

const binary = join(import.meta.dirname, '../../packages/latchkey/bin/latchkey.mjs');
const origin = 'http://localhost:8080';
export const issuer = `${origin}/auth`;
/** `aud` of ordinary tokens. */
export const audience = origin;

const many = 1_000_000_000;
const limits = {
  attemptsPerAccountAndAddress: many,
  attemptsPerAddress: many,
  attemptsPerAccount: many,
  attemptsPerDevice: many,
  refreshesPerMinute: many,
  streamsPerAddress: 2000,
};

export interface StageOptions {
  /** Seconds. @default 300 */
  readonly accessTokenLife?: number;
  /** What stands behind the gateways: one that answers everybody, or one that verifies again. @default 'open' */
  readonly service?: 'open' | 'verifying';
  /** A core for the auth server alone. */
  readonly authCore?: number | undefined;
  /** More settings for the configuration file. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface Gateway {
  readonly child: Child;
  readonly port: number;
  readonly internalPort: number;
  readonly stateFile: string;
}

export interface Stage {
  readonly authPort: number;
  /** Of the service itself, past the gateways. */
  readonly servicePort: number;
  readonly dataDir: string;
  /** The process of the moment. */
  readonly auth: () => Child;
  readonly admin: Admin;
  readonly startAuth: () => Promise<void>;
  readonly stopAuth: () => Promise<void>;
  /** SIGKILL: nothing is said, nothing is put in order. */
  readonly killAuth: () => Promise<void>;
  readonly startGateway: (options?: GatewayStart) => Promise<Gateway>;
  readonly stop: () => Promise<void>;
}

export interface GatewayStart {
  /** Where it reaches the auth server. @default its own port */
  readonly authPort?: number;
  /** The client that it is registered as. */
  readonly client?: RegisteredClient;
  /** Its disk copy, when it must be the one of an earlier gateway. */
  readonly stateFile?: string;
  /** Wait until it answers something else than 503. @default true */
  readonly waits?: boolean;
}

/** Calls of the administration, with its token. */
export interface Admin {
  /** One call as bytes, to be sent later. */
  readonly request: (method: string, path: string, body?: unknown) => string;
  /** Sends it and throws on any other status. */
  readonly call: (status: number, method: string, path: string, body?: unknown) => Promise<Answer>;
  readonly pool: Pool;
}

export async function startStage(options: StageOptions = {}): Promise<Stage> {
  const folder = scratchFolder('signals');
  const dataDir = join(folder, 'data');
  const authPort = await freePort();
  const service = await startService(options.service ?? 'open', authPort);
  writeConfiguration(folder, Number(service.ready), options);
  const gateways: Child[] = [];
  let auth: Child | undefined;

  const startAuth = async (): Promise<void> => {
    auth = await startChild({
      command: [process.execPath, binary, 'auth'],
      cwd: folder,
      core: options.authCore,
      env: {
        LATCHKEY_AUTH_PORT: String(authPort),
        LATCHKEY_INTERNAL_PORT: '0',
        LATCHKEY_DATA_DIR: dataDir,
        LATCHKEY_REFRESH_GRACE: '0',
        LATCHKEY_ACCESS_TOKEN_LIFE: `${options.accessTokenLife ?? 300}s`,
        LATCHKEY_ADMIN_USERNAME: firstUsername(0),
        LATCHKEY_ADMIN_PASSWORD: firstPassword,
      },
      ready: /listens on http:\/\/[^\s:]+:(\d+)/,
    });
  };
  await startAuth();
  const admin = await openAdmin(authPort);
  const started = (): Child => {
    if (auth === undefined) throw new Error('the auth server is not running');
    return auth;
  };

  return {
    authPort,
    servicePort: Number(service.ready),
    dataDir,
    admin,
    auth: started,
    startAuth,
    async stopAuth() {
      await auth?.stop();
      auth = undefined;
    },
    async killAuth() {
      const dead = new Promise((resolve) => auth?.process.once('close', resolve));
      auth?.process.kill('SIGKILL');
      await dead;
      auth = undefined;
    },
    async startGateway(start = {}) {
      const gateway = await startGateway(folder, { authPort, ...start });
      gateways.push(gateway.child);
      return gateway;
    },
    async stop() {
      admin.pool.close();
      await Promise.all([...gateways, service, ...(auth === undefined ? [] : [auth])].map((c) => c.stop()));
    },
  };
}

function startService(kind: 'open' | 'verifying', authPort: number): Promise<Child> {
  const script = kind === 'open' ? 'upstream.ts' : 'guarded_server.ts';
  const options: GuardOptions = { kind: 'verifier', issuer, audience, authPort };
  return startChild({
    command: [process.execPath, join(import.meta.dirname, script), JSON.stringify(options)],
    ready: /\bready (\d+)/,
  });
}

function writeConfiguration(folder: string, upstreamPort: number, { settings = {} }: StageOptions): void {
  const upstreams = [`http://127.0.0.1:${upstreamPort}`];
  const routes = [
    { prefix: '/normal', upstreams, access: 'authenticated' },
    { prefix: '/sensitive', upstreams, access: 'authenticated', sensitive: true },
    { prefix: '/write', upstreams, access: { permission: 'records:write' } },
    { prefix: '/open', upstreams, access: 'public' },
  ];
  const configuration = { publicUrl: origin, log: 'warn', limits, routes, ...settings };
  writeFileSync(join(folder, 'latchkey.config.json'), JSON.stringify(configuration));
}

async function startGateway(folder: string, start: GatewayStart): Promise<Gateway> {
  const port = await freePort();
  const stateFile = start.stateFile ?? join(folder, `gateway-${port}.json`);
  const { client, waits = true } = start;
  const child = await startChild({
    command: [process.execPath, binary, 'gateway'],
    cwd: folder,
    env: {
      LATCHKEY_PORT: String(port),
      LATCHKEY_GATEWAY_INTERNAL_PORT: '0',
      LATCHKEY_AUTH_URL: `http://127.0.0.1:${start.authPort}`,
      LATCHKEY_GATEWAY_STATE_FILE: stateFile,
      ...(client && { LATCHKEY_GATEWAY_CLIENT_ID: client.id, LATCHKEY_GATEWAY_CLIENT_SECRET: client.secret }),
    },
    ready: /gateway listens on http:\/\/[^\s:]+:(\d+) for \S+ \(health and metrics on \S+\)/,
  });
  const internalPort = Number(/health and metrics on \S+:(\d+)\)/.exec(child.output())?.[1]);
  const gateway = { child, port, internalPort, stateFile };
  if (waits) await untilReady(gateway);
  return gateway;
}

async function untilReady({ internalPort, child }: Gateway): Promise<void> {
  const pool = createPool(internalPort, 1);
  try {
    for (const end = performance.now() + 30_000; performance.now() < end; await sleep(20)) {
      if ((await pool.send(buildRequest({ method: 'GET', path: '/readyz' }))).status === 200) return;
    }
  } finally {
    pool.close();
  }
  throw new Error(`the gateway did not become ready:\n${child.output()}`);
}

/** Signs the administrator in: the administration takes only tokens whose audience is the issuer. */
export async function openAdmin(authPort: number): Promise<Admin> {
  const pool = createPool(authPort, 16);
  const login = { username: firstUsername(0), password: firstPassword, audience: issuer };
  const token = field(expectStatus(await pool.send(jsonRequest('/auth/login', login)), 200), 'access_token');
  const request: Admin['request'] = (method, path, body) =>
    buildRequest({
      method,
      path: `/auth/admin/${path}`,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    request,
    pool,
    call: async (status, method, path, body) =>
      expectStatus(await pool.send(request(method, path, body)), status),
  };
}

/** Free at this moment: for servers that are started again on the port they had. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}
