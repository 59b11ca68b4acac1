// 100,000 signed-in users in three worlds. Who they are is computed from their number, so that server and client
// agree without exchanging anything but a folder.
import { createHash, createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { betterAuthSecret } from '../auth/better_auth_server.ts';
import { type Keys, kid, makeClaims, makeKeys, makeToken } from '../tokens/material.ts';

export const signedInUsers = 100_000;

function identifier(purpose: string, i: number): string {
  return createHash('sha256').update(`${purpose} ${i}`).digest('base64url').slice(0, 32);
}

export const userId = (i: number): string => identifier('user', i);
export const sessionId = (i: number): string => identifier('session', i);

/** The world of tokens: a key pair in the folder; the service reads only the public half. */
export function makeTokenWorld(folder: string): Keys {
  const keys = makeKeys('ES256');
  const jwk = { ...keys.publicKey.export({ format: 'jwk' }), kid, alg: keys.alg, use: 'sig' };
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [jwk] }));
  return keys;
}

export function readJwks(folder: string): { readonly keys: readonly { readonly kty: string }[] } {
  return JSON.parse(readFileSync(join(folder, 'jwks.json'), 'utf8'));
}

export function bearerOf(keys: Keys, i: number): string {
  return `Bearer ${makeToken(keys, { ...makeClaims(), sub: userId(i) })}`;
}

/** The world of sessions: one row with all that the endpoint needs, in the form that is fastest to look up. */
export function makeSessionWorld(folder: string): void {
  const database = openDurable(join(folder, 'sessions.db'));
  database.exec(`CREATE TABLE sessions (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, username TEXT NOT NULL,
    roles TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID`);
  const insert = database.prepare('INSERT INTO sessions VALUES (?, ?, ?, ?, unixepoch() + 3000)');
  inOneTransaction(database, (i) => insert.run(sessionId(i), userId(i), `person${i}`, '["doctor"]'));
}

/** Rows as Better Auth writes them at sign-in, into the schema that it made itself. */
export function fillBetterAuthWorld(file: string): void {
  const database = openDurable(file);
  const [now, later] = [new Date().toISOString(), new Date(Date.now() + 7 * 86_400_000).toISOString()];
  const user = database.prepare('INSERT INTO user VALUES (?, ?, ?, 0, NULL, ?, ?)');
  const session = database.prepare("INSERT INTO session VALUES (?, ?, ?, ?, ?, '', '', ?)");
  inOneTransaction(database, (i) => {
    user.run(userId(i), `Person ${i}`, `person${i}@example.com`, now, now);
    session.run(identifier('row', i), later, sessionId(i), now, now, userId(i));
  });
}

export function betterAuthCookie(i: number): string {
  const token = sessionId(i);
  const mac = createHmac('sha256', betterAuthSecret).update(token).digest('base64');
  return `better-auth.session_token=${encodeURIComponent(`${token}.${mac}`)}`;
}

function openDurable(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  return database;
}

function inOneTransaction(database: DatabaseSync, write: (i: number) => void): void {
  database.exec('BEGIN');
  for (let i = 0; i < signedInUsers; i += 1) write(i);
  database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE);');
  database.close();
}
