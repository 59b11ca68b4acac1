// Users and what their tokens carry. `ver` counts every change that running tokens must learn of; a token or session
// born below `revoked_below` is dead, whatever else it says.
import type { Queries, Transaction, Value } from './database.ts';

export interface User {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  readonly roles: readonly string[];
  readonly disabled: boolean;
  readonly ver: number;
  readonly createdAt: number;
}

/** What a sign-in needs before it hashes: read in one statement, so that `ver` belongs to this password. */
export interface Credentials {
  readonly id: string;
  readonly username: string;
  readonly passwordHash: string;
  readonly ver: number;
  readonly disabled: boolean;
}

interface UserRow {
  id: string;
  username: string;
  email: string | null;
  roles: string | null;
  disabled: number;
  ver: number;
  created_at: number;
}

const rolesOfUser = "(SELECT string_agg(role, ' ' ORDER BY role) FROM user_roles WHERE user_id = users.id)";
const columns = `id, username, email, disabled, ver, created_at, ${rolesOfUser} AS roles`;

export function splitNames(text: string | null): string[] {
  return text === null || text === '' ? [] : text.split(' ');
}

function userOf(row: UserRow): User {
  return {
    id: row.id,
    username: row.username,
    email: row.email,
    roles: splitNames(row.roles),
    disabled: row.disabled === 1,
    ver: row.ver,
    createdAt: row.created_at,
  };
}

export async function findUser(queries: Queries, id: string): Promise<User | undefined> {
  const row = await queries.one<UserRow>(`SELECT ${columns} FROM users WHERE id = ?`, id);
  return row && userOf(row);
}

/** By username, or by e-mail address where the text has an `@`: a username cannot contain one. */
export async function findCredentials(queries: Queries, login: string): Promise<Credentials | undefined> {
  const column = login.includes('@') ? 'email' : 'username';
  return await credentialsWhere(queries, `${column} = ?`, login);
}

export async function findCredentialsById(queries: Queries, id: string): Promise<Credentials | undefined> {
  return await credentialsWhere(queries, 'id = ?', id);
}

async function credentialsWhere(
  queries: Queries,
  condition: string,
  value: Value,
): Promise<Credentials | undefined> {
  const row = await queries.one<{
    id: string;
    username: string;
    password_hash: string;
    ver: number;
    disabled: number;
  }>(`SELECT id, username, password_hash, ver, disabled FROM users WHERE ${condition}`, value);
  return (
    row && {
      id: row.id,
      username: row.username,
      passwordHash: row.password_hash,
      ver: row.ver,
      disabled: row.disabled === 1,
    }
  );
}

export interface NewUser {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  readonly passwordHash: string;
  readonly roles: readonly string[];
}

/** Throws UniqueViolation when the username or e-mail address is taken. */
export async function insertUser(tx: Transaction, user: NewUser): Promise<void> {
  await tx.run(
    `INSERT INTO users (id, username, email, password_hash, ver, revoked_below, disabled, created_at)
     VALUES (?, ?, ?, ?, 1, 1, 0, now_ms())`,
    user.id,
    user.username,
    user.email,
    user.passwordHash,
  );
  await insertRoles(tx, user.id, user.roles);
}

async function insertRoles(tx: Transaction, userId: string, roles: readonly string[]): Promise<void> {
  for (const role of roles)
    await tx.run('INSERT INTO user_roles (user_id, role) VALUES (?, ?)', userId, role);
}

/** Sets the roles and raises `ver`; answers the new `ver`, or undefined when there is no such user. */
export async function replaceRoles(
  tx: Transaction,
  userId: string,
  roles: readonly string[],
): Promise<number | undefined> {
  const ver = await raiseVersion(tx, userId);
  if (ver === undefined) return undefined;
  await tx.run('DELETE FROM user_roles WHERE user_id = ?', userId);
  await insertRoles(tx, userId, roles);
  return ver;
}

/** Running tokens of this user become stale; answers the new `ver`, or undefined when there is no such user. */
export async function raiseVersion(tx: Transaction, userId: string): Promise<number | undefined> {
  const row = await tx.one<{ ver: number }>(
    'UPDATE users SET ver = ver + 1 WHERE id = ? RETURNING ver',
    userId,
  );
  return row?.ver;
}

/** Everything born before this moment dies: raises `ver` and `revoked_below` to the same value and answers it. */
export async function revokeBelow(tx: Transaction, userId: string): Promise<number | undefined> {
  const row = await tx.one<{ ver: number }>(
    'UPDATE users SET ver = ver + 1, revoked_below = ver + 1 WHERE id = ? RETURNING ver',
    userId,
  );
  return row?.ver;
}

/** Sets a new hash if the old one still stands, and revokes below the new `ver`, which it answers. */
export async function replacePassword(
  tx: Transaction,
  userId: string,
  oldHash: string,
  newHash: string,
): Promise<number | undefined> {
  const row = await tx.one<{ ver: number }>(
    `UPDATE users SET password_hash = ?, ver = ver + 1, revoked_below = ver + 1
     WHERE id = ? AND password_hash = ? AND disabled = 0 RETURNING ver`,
    newHash,
    userId,
    oldHash,
  );
  return row?.ver;
}

/** Sets a hash whatever stood there, and revokes below the new `ver`, which it answers. */
export async function overwritePassword(
  tx: Transaction,
  userId: string,
  newHash: string,
): Promise<number | undefined> {
  const row = await tx.one<{ ver: number }>(
    'UPDATE users SET password_hash = ?, ver = ver + 1, revoked_below = ver + 1 WHERE id = ? RETURNING ver',
    newHash,
    userId,
  );
  return row?.ver;
}

/** The same password under new hashing parameters: nothing else changes. */
export async function rehashPassword(
  tx: Transaction,
  userId: string,
  oldHash: string,
  newHash: string,
): Promise<void> {
  await tx.run(
    'UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?',
    newHash,
    userId,
    oldHash,
  );
}

export interface UserChanges {
  readonly username?: string;
  readonly email?: string | null;
  readonly disabled?: boolean;
}

/** Throws UniqueViolation. Answers false when there is no such user. */
export async function updateUser(tx: Transaction, userId: string, changes: UserChanges): Promise<boolean> {
  const sets: string[] = [];
  const values: Value[] = [];
  if (changes.username !== undefined) sets.push('username = ?') && values.push(changes.username);
  if (changes.email !== undefined) sets.push('email = ?') && values.push(changes.email);
  if (changes.disabled !== undefined) sets.push('disabled = ?') && values.push(changes.disabled ? 1 : 0);
  if (sets.length === 0) return (await findUser(tx, userId)) !== undefined;
  return (await tx.run(`UPDATE users SET ${sets.join(', ')} WHERE id = ?`, ...values, userId)) === 1;
}

export async function deleteUser(tx: Transaction, userId: string): Promise<boolean> {
  return (await tx.run('DELETE FROM users WHERE id = ?', userId)) === 1;
}

/** A page of users by username. */
export async function listUsers(
  queries: Queries,
  after: string,
  limit: number,
  prefix = '',
): Promise<User[]> {
  const rows = await queries.all<UserRow>(
    `SELECT ${columns} FROM users WHERE username > ? AND substr(username, 1, length(?)) = ? ORDER BY username LIMIT ?`,
    after,
    prefix,
    prefix,
    limit,
  );
  return rows.map(userOf);
}

export async function countUsers(queries: Queries): Promise<number> {
  const row = await queries.one<{ n: number }>('SELECT count(*) AS n FROM users');
  return row?.n ?? 0;
}
