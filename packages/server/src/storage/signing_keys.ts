// Signing keys as rows: the private part is ciphertext (keys/master_key.ts). At most one `current` and one `next` per
// algorithm exist, which unique indexes enforce whatever two rotations do at once.
import type { Queries, Transaction } from './database.ts';

export type KeyState = 'next' | 'current' | 'previous';

export interface SigningKeyRecord {
  readonly kid: string;
  readonly alg: string;
  readonly state: KeyState;
  /** JSON of the public JWK. */
  readonly publicJwk: string;
  readonly privateKey: string;
  readonly createdAt: number;
  /** When it may begin to sign. */
  readonly activatesAt: number;
  /** When it leaves the JWK Set: set as it becomes `previous`. */
  readonly retiresAt: number | null;
  /** The signal that told of it. */
  readonly publishedSeq: number | null;
  /** Since when it may sign, but for a verifier that has not said that it has it. */
  readonly waitingSince: number | null;
}

export type NewSigningKey = Omit<SigningKeyRecord, 'publishedSeq' | 'waitingSince'>;

interface KeyRow {
  kid: string;
  alg: string;
  state: KeyState;
  public_jwk: string;
  private_key: string;
  created_at: number;
  activates_at: number;
  retires_at: number | null;
  published_seq: number | null;
  waiting_since: number | null;
}

export async function listSigningKeys(queries: Queries): Promise<{ keys: SigningKeyRecord[]; now: number }> {
  const rows = await queries.all<KeyRow & { now: number }>(
    'SELECT *, now_ms() AS now FROM signing_keys ORDER BY created_at, kid',
  );
  const clock = rows[0]?.now ?? (await queries.one<{ now: number }>('SELECT now_ms() AS now'))?.now ?? 0;
  return {
    now: clock,
    keys: rows.map((row) => ({
      kid: row.kid,
      alg: row.alg,
      state: row.state,
      publicJwk: row.public_jwk,
      privateKey: row.private_key,
      createdAt: row.created_at,
      activatesAt: row.activates_at,
      retiresAt: row.retires_at,
      publishedSeq: row.published_seq,
      waitingSince: row.waiting_since,
    })),
  };
}

export async function insertSigningKey(tx: Transaction, key: NewSigningKey): Promise<void> {
  await tx.run(
    `INSERT INTO signing_keys (kid, alg, state, public_jwk, private_key, created_at, activates_at, retires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    key.kid,
    key.alg,
    key.state,
    key.publicJwk,
    key.privateKey,
    key.createdAt,
    key.activatesAt,
    key.retiresAt,
  );
}

/** Moves a key from one state to another; answers false when it was not in `from` any more. */
export async function moveSigningKey(
  tx: Transaction,
  kid: string,
  from: KeyState,
  to: KeyState,
  retiresAt: number | null,
): Promise<boolean> {
  const sql = 'UPDATE signing_keys SET state = ?, retires_at = ? WHERE kid = ? AND state = ?';
  return (await tx.run(sql, to, retiresAt, kid, from)) === 1;
}

/** The next key signs from now on; answers false when it is not the next one any more. */
export async function promoteSigningKey(tx: Transaction, kid: string): Promise<boolean> {
  const sql =
    "UPDATE signing_keys SET state = 'current', activates_at = now_ms() WHERE kid = ? AND state = 'next'";
  return (await tx.run(sql, kid)) === 1;
}

/** The signal with this number tells of every key that nobody was told of before. */
export async function markPublished(tx: Transaction, seq: number): Promise<void> {
  await tx.run('UPDATE signing_keys SET published_seq = ? WHERE published_seq IS NULL', seq);
}

/** From now on this key waits for verifiers alone. */
export async function markWaiting(tx: Transaction, kid: string): Promise<void> {
  await tx.run('UPDATE signing_keys SET waiting_since = now_ms() WHERE kid = ?', kid);
}

export async function deleteSigningKey(tx: Transaction, kid: string): Promise<boolean> {
  return (await tx.run('DELETE FROM signing_keys WHERE kid = ?', kid)) === 1;
}

/** The same private key under another master key. */
export async function rewrapSigningKey(tx: Transaction, kid: string, privateKey: string): Promise<void> {
  await tx.run('UPDATE signing_keys SET private_key = ? WHERE kid = ?', privateKey, kid);
}
