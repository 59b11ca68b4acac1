// `latchkey start` registers what it runs: its gateway and its services are clients of the auth server, so that they are
// listed (`latchkey verifiers`), have reserved places, and key rotation waits for them. Their secrets are drawn by the server,
// kept in the data directory (mode 0600) and used again at the next start; a client that the server no longer knows is made anew.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Admin } from '../admin/admin.ts';
import { type ClientView, call, collect, type NewClientView } from '../admin/answers.ts';
import type { ClientCredential } from '../settings/gateway_client.ts';

const clientsPath = '/auth/admin/clients';

export type Credentials = Readonly<Record<string, ClientCredential>>;

/** One client for each name. @throws CommandError when the server refuses */
export async function ensureClients(
  admin: Admin,
  names: readonly string[],
  file: string,
): Promise<Credentials> {
  const known = new Set((await collect<ClientView>(admin, clientsPath, 'clients')).map(({ id }) => id));
  const kept = Object.entries(readKept(file)).filter(([, { id }]) => known.has(id));
  const credentials: Record<string, ClientCredential> = Object.fromEntries(kept);
  const missing = [...new Set(names)].filter((name) => !Object.hasOwn(credentials, name));
  if (missing.length === 0) return credentials;
  for (const name of missing) {
    const { id, secret } = await call<NewClientView>(admin, 'POST', clientsPath, `client ${name}`, { name });
    credentials[name] = { id, secret };
  }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return credentials;
}

/** A file that cannot be read costs new clients, not the start. */
function readKept(file: string): Credentials {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter(([, entry]) => isCredential(entry)));
  } catch {
    return {};
  }
}

function isCredential(value: unknown): value is ClientCredential {
  if (typeof value !== 'object' || value === null) return false;
  const { id, secret } = value as Partial<ClientCredential>;
  return typeof id === 'string' && typeof secret === 'string';
}
