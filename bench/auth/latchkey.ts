// Latchkey as it is installed: `latchkey auth` on an empty folder, default settings, except those that would stop a
// bench and not a person: attempt and request limits, and the grace time 0, so that every refresh is a durable write.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder, startChild } from '../harness/children.ts';
import { type Answer, type Connection, jsonRequest, openConnection } from '../harness/http_connection.ts';
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

export interface LatchkeyOptions {
  readonly core?: number | undefined;
  /** Seconds. @default 0 */
  readonly grace?: number;
  readonly config?: Readonly<Record<string, unknown>>;
}

export async function startLatchkey({
  core,
  grace = 0,
  config = {},
}: LatchkeyOptions = {}): Promise<AuthSystem> {
  const folder = scratchFolder('latchkey');
  writeFileSync(join(folder, 'latchkey.config.json'), JSON.stringify({ limits, log: 'warn', ...config }));
  const child = await startChild({
    command: [process.execPath, binary, 'auth'],
    cwd: folder,
    env: {
      LATCHKEY_AUTH_PORT: '0',
      LATCHKEY_INTERNAL_PORT: '0',
      LATCHKEY_DATA_DIR: join(folder, 'data'),
      LATCHKEY_REFRESH_GRACE: String(grace),
      LATCHKEY_ADMIN_USERNAME: firstUsername(0),
      LATCHKEY_ADMIN_PASSWORD: firstPassword,
    },
    ready: /listens on http:\/\/[^:]+:(\d+)/,
    core,
  });
  const port = Number(child.ready);
  const signInRequest = jsonRequest('/auth/login', { username: firstUsername(0), password: firstPassword });
  const signIn = async (connection: Connection): Promise<Answer> =>
    expectStatus(await connection.send(signInRequest), 200);
  const startChain = async (): Promise<Client> => {
    const connection = openConnection(port);
    const first = field(await signIn(connection), 'refresh_token');
    return refreshingClient(connection, '/auth/token', first);
  };
  return { name: 'latchkey', child, port, signIn, startChain };
}
