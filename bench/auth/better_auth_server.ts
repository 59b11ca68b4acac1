// Better Auth as its documentation sets it up: e-mail and password (scrypt), the JWT plugin, SQLite through
// node:sqlite. In its favour: WAL, rate limits and telemetry off. Run by the benches as a process of its own:
//   node better_auth_server.ts FOLDER   → prints "ready PORT" when the schema and the first user are there.
import { createServer, type RequestListener } from 'node:http';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { loadPeer } from '../peers/load.ts';
import { firstEmail, firstPassword } from './people.ts';

interface BetterAuth {
  readonly handler: unknown;
  readonly options: object;
  readonly api: {
    signUpEmail(input: { body: object }): Promise<unknown>;
    getSession(input: { headers: Headers }): Promise<{ user: { id: string } } | null>;
  };
}
interface Modules {
  betterAuth(options: object): BetterAuth;
  jwt(): unknown;
  getMigrations(options: object): Promise<{ runMigrations(): Promise<void> }>;
  toNodeHandler(auth: BetterAuth): RequestListener;
}

export const betterAuthSecret = 'a secret of the bench, 32 characters';

/** The instance over one database file, its schema made. */
export async function createBetterAuth(file: string, port: number): Promise<BetterAuth> {
  const { betterAuth } = await loadPeer<Modules>('better-auth');
  const { jwt } = await loadPeer<Modules>('better-auth/plugins/jwt');
  const { getMigrations } = await loadPeer<Modules>('better-auth/db/migration');
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  const auth = betterAuth({
    database,
    baseURL: `http://localhost:${port}`,
    secret: betterAuthSecret,
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [jwt()],
  });
  const { runMigrations } = await getMigrations(auth.options);
  await runMigrations();
  return auth;
}

if (import.meta.main) {
  const folder = process.argv[2] ?? '.';
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const auth = await createBetterAuth(join(folder, 'better_auth.db'), port);
  const { toNodeHandler } = await loadPeer<Modules>('better-auth/node');
  const people = Number(process.argv[3] ?? '1');
  for (let i = 0; i < people; i += 1) {
    await auth.api.signUpEmail({
      body: { email: firstEmail(i), password: firstPassword, name: `Person ${i}` },
    });
  }
  server.on('request', toNodeHandler(auth));
  console.log(`ready ${port}`);
  flushCompileCache();
}
