// A history of a real auth server, recorded into a file of docs/protocol/vectors: what was asked and answered, and what a reader must hold
// afterwards. The server's clock stands still unless something is changed.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuthServerOptions } from '@latchkey/server';
import { startAuthServer, type TestAuthServer, userPassword } from './auth_server.ts';
import { marksOf, type RecordedExchange, recordJwks, recordSnapshot } from './signal_recorder.ts';

const issuer = 'https://id.example.com/auth';
const folder = new URL('../../docs/protocol/vectors/', import.meta.url);

export interface World {
  readonly clock: { time: number };
  readonly server: TestAuthServer;
  /** Does it, a second later by the server's clock. */
  change(method: string, path: string, body?: unknown): Promise<void>;
  signIn(roles?: readonly string[]): Promise<{ userId: string; sid: string; jti: string }>;
  /** Ends a new session and answers its id. */
  revokeSession(): Promise<string>;
}

let people = 0;

async function open(
  dataDir: string,
  clock: { time: number },
  options: Partial<AuthServerOptions>,
): Promise<World> {
  const server = await startAuthServer({ issuer, dataDir, now: () => clock.time, ...options });
  const change = async (method: string, path: string, body?: unknown) => {
    clock.time += 1000;
    const answer = await server.operator(method, path, body);
    assert.ok(answer.status < 300, answer.text);
  };
  const signIn = async (roles: readonly string[] = []) => {
    const user = await server.createUser(`person${people++}`, { roles });
    const { access_token: token, session_id: sid } = await server.login(user.username, userPassword);
    const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return { userId: user.id, sid, jti };
  };
  const revokeSession = async () => {
    const { sid } = await signIn();
    await change('DELETE', `/auth/admin/sessions/${sid}`);
    return sid;
  };
  return { clock, server, change, signIn, revokeSession };
}

export interface Recording {
  readonly exchanges: readonly RecordedExchange[];
  readonly expect?: Readonly<Record<string, unknown>>;
}

/** Runs a history in a folder of its own. `reopen`: ends the server, changes its files, and starts it again on them. */
export async function recordHistory(
  name: string,
  description: string,
  history: (
    world: World,
    reopen: (between: (dataDir: string) => void) => Promise<World>,
  ) => Promise<Recording>,
  options: Partial<AuthServerOptions> = {},
): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'lk-vectors-'));
  const clock = { time: 1_790_000_000_000 };
  let world = await open(dataDir, clock, options);
  try {
    const { exchanges, expect } = await history(world, async (between) => {
      await world.server.close();
      between(dataDir);
      world = await open(dataDir, clock, options);
      return world;
    });
    const jwks = JSON.parse((await recordJwks(world.server)).body ?? '');
    const marks = marksOf(exchanges);
    const position = JSON.parse((await recordSnapshot(world.server)).body ?? '').position as string;
    const [epoch = '', seq = ''] = position.split('-');
    const expected = { epoch, seq: Number(seq), position, marks, fresh: true, ...expect };
    const shown = exchanges.map(({ request, status, headers, body, forged }) => ({
      ...{ request, status, headers, body },
      ...(forged === undefined ? {} : { forged }),
    }));
    const vector = { description, issuer, now: clock.time, jwks, exchanges: shown, expect: expected };
    mkdirSync(folder, { recursive: true });
    writeFileSync(new URL(`${name}.vectors.json`, folder), `${JSON.stringify(vector, null, 2)}\n`);
    console.log(`${name}: ${shown.length} exchanges, ${marks.length} marks`);
  } finally {
    await world.server.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** The exchange with its body changed on the way. */
export function forge(exchange: RecordedExchange, from: string | RegExp, to: string): RecordedExchange {
  const body = exchange.body?.replace(from, to) ?? '';
  assert.notEqual(body, exchange.body);
  return { ...exchange, body, forged: true };
}
