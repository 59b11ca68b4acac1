// Registered clients: back ends that revoke, introspect, or sign people in under their own name. The secret is 256
// random bits, so its plain SHA-256 is enough at rest.
import { createHash } from 'node:crypto';
import type { Queries, Transaction } from './database.ts';
import { splitNames } from './users.ts';

export interface Client {
  readonly id: string;
  readonly name: string;
  readonly secretHash: string;
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  readonly createdAt: number;
}

interface ClientRow {
  id: string;
  name: string;
  secret_hash: string;
  scopes: string;
  audiences: string;
  created_at: number;
}

function clientOf(row: ClientRow): Client {
  return {
    id: row.id,
    name: row.name,
    secretHash: row.secret_hash,
    scopes: splitNames(row.scopes),
    audiences: splitNames(row.audiences),
    createdAt: row.created_at,
  };
}

export function hashClientSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

export async function findClient(queries: Queries, id: string): Promise<Client | undefined> {
  const row = await queries.one<ClientRow>('SELECT * FROM clients WHERE id = ?', id);
  return row && clientOf(row);
}

export async function listClients(queries: Queries, after: string, limit: number): Promise<Client[]> {
  return (
    await queries.all<ClientRow>('SELECT * FROM clients WHERE id > ? ORDER BY id LIMIT ?', after, limit)
  ).map(clientOf);
}

export async function insertClient(tx: Transaction, client: Omit<Client, 'createdAt'>): Promise<void> {
  await tx.run(
    'INSERT INTO clients (id, name, secret_hash, scopes, audiences, created_at) VALUES (?, ?, ?, ?, ?, now_ms())',
    client.id,
    client.name,
    client.secretHash,
    client.scopes.join(' '),
    client.audiences.join(' '),
  );
}

export async function deleteClient(tx: Transaction, id: string): Promise<boolean> {
  return (await tx.run('DELETE FROM clients WHERE id = ?', id)) === 1;
}
