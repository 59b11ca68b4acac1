// The tables, as numbered migrations. Portable types only: TEXT and BIGINT; times are milliseconds since 1970, ids and
// hashes are base64url text, flags are 0 or 1. A migration that has landed is never edited: a change is a new one.
import type { Database } from './database.ts';

const migrations: readonly (readonly string[])[] = [
  [
    'CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)',
    'CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL)',
    // rver: the role table's version. signal: the last number given to a signal, in commit order.
    "INSERT INTO counters (name, value) VALUES ('rver', 1), ('signal', 0)",
    `CREATE TABLE users (
      id TEXT PRIMARY KEY,
      username TEXT NOT NULL UNIQUE,
      email TEXT UNIQUE,
      password_hash TEXT NOT NULL,
      ver BIGINT NOT NULL,
      revoked_below BIGINT NOT NULL,
      disabled BIGINT NOT NULL,
      created_at BIGINT NOT NULL
    )`,
    `CREATE TABLE roles (
      name TEXT PRIMARY KEY,
      permissions TEXT NOT NULL,
      description TEXT,
      created_at BIGINT NOT NULL
    )`,
    `CREATE TABLE user_roles (
      user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      role TEXT NOT NULL REFERENCES roles (name),
      PRIMARY KEY (user_id, role)
    )`,
    'CREATE INDEX user_roles_by_role ON user_roles (role)',
    // rotated_at is NULL until the first refresh; idempotency_hash belongs to the last rotation.
    `CREATE TABLE sessions (
      id TEXT PRIMARY KEY,
      user_id TEXT NOT NULL,
      client_id TEXT NOT NULL,
      audience TEXT NOT NULL,
      born_ver BIGINT NOT NULL,
      generation BIGINT NOT NULL,
      rotated_at BIGINT,
      idempotency_hash TEXT,
      auth_time BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      last_used_at BIGINT NOT NULL,
      expires_at BIGINT NOT NULL,
      ended_at BIGINT,
      ended_reason TEXT,
      ip TEXT NOT NULL,
      user_agent TEXT NOT NULL
    )`,
    'CREATE INDEX sessions_by_user ON sessions (user_id, created_at)',
    'CREATE INDEX sessions_by_client ON sessions (client_id)',
    'CREATE INDEX sessions_by_expiry ON sessions (expires_at)',
    `CREATE TABLE signing_keys (
      kid TEXT PRIMARY KEY,
      alg TEXT NOT NULL,
      state TEXT NOT NULL,
      public_jwk TEXT NOT NULL,
      private_key TEXT NOT NULL,
      created_at BIGINT NOT NULL,
      activates_at BIGINT NOT NULL,
      retires_at BIGINT
    )`,
    // Exactly one current and at most one next key per algorithm, whatever races.
    "CREATE UNIQUE INDEX signing_keys_current ON signing_keys (alg) WHERE state = 'current'",
    "CREATE UNIQUE INDEX signing_keys_next ON signing_keys (alg) WHERE state = 'next'",
    'CREATE TABLE refresh_keys (id BIGINT PRIMARY KEY, secret TEXT NOT NULL, created_at BIGINT NOT NULL)',
    `CREATE TABLE clients (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      secret_hash TEXT NOT NULL,
      scopes TEXT NOT NULL,
      audiences TEXT NOT NULL,
      created_at BIGINT NOT NULL
    )`,
    `CREATE TABLE signals (
      seq BIGINT PRIMARY KEY,
      tag TEXT NOT NULL,
      at BIGINT NOT NULL,
      kind TEXT NOT NULL,
      by_what TEXT,
      value TEXT,
      below BIGINT,
      until BIGINT
    )`,
    'CREATE INDEX signals_by_value ON signals (by_what, value)',
    'CREATE TABLE attempts (name TEXT PRIMARY KEY, count BIGINT NOT NULL, since BIGINT NOT NULL)',
    'CREATE INDEX attempts_by_age ON attempts (since)',
    `CREATE TABLE audit (
      id TEXT PRIMARY KEY,
      at BIGINT NOT NULL,
      actor TEXT NOT NULL,
      action TEXT NOT NULL,
      target TEXT NOT NULL,
      outcome TEXT NOT NULL,
      reason TEXT,
      ip TEXT NOT NULL,
      request_id TEXT NOT NULL
    )`,
    'CREATE INDEX audit_by_target ON audit (target, id)',
    'CREATE INDEX audit_by_actor ON audit (actor, id)',
  ],
  // How often the lost answer of the last rotation was asked for again after the grace time: see restartGrace.
  ['ALTER TABLE sessions ADD COLUMN late_retries BIGINT NOT NULL DEFAULT 0'],
  [
    // The fleet: connection is the open stream, NULL when it has closed; epoch and seq are NULL until the first acknowledgement.
    `CREATE TABLE verifiers (
      client_id TEXT NOT NULL,
      instance TEXT NOT NULL,
      name TEXT NOT NULL,
      version TEXT NOT NULL,
      connection TEXT,
      connected_at BIGINT NOT NULL,
      seen_at BIGINT NOT NULL,
      epoch TEXT,
      seq BIGINT,
      as_of BIGINT NOT NULL,
      PRIMARY KEY (client_id, instance)
    )`,
    // published_seq: the signal that told of the key. waiting_since: since when it may sign, but for a verifier that has not said it has it.
    'ALTER TABLE signing_keys ADD COLUMN published_seq BIGINT',
    'ALTER TABLE signing_keys ADD COLUMN waiting_since BIGINT',
    "UPDATE signing_keys SET published_seq = (SELECT value FROM counters WHERE name = 'signal')",
  ],
  [
    // Third parties that are told of security events, how far delivery has come, and what each of them has not taken yet.
    // lease: the one instance that pushes to it now. overflowing: that its oldest events go has been said.
    `CREATE TABLE receivers (
      client_id TEXT PRIMARY KEY REFERENCES clients (id) ON DELETE CASCADE,
      tag TEXT NOT NULL,
      delivery TEXT NOT NULL,
      endpoint TEXT,
      authorization_header TEXT,
      events TEXT NOT NULL,
      waiting BIGINT NOT NULL,
      lost BIGINT NOT NULL,
      overflowing BIGINT NOT NULL,
      failures BIGINT NOT NULL,
      failing_since BIGINT,
      last_error TEXT,
      next_attempt_at BIGINT NOT NULL,
      paused BIGINT NOT NULL,
      lease TEXT,
      lease_until BIGINT NOT NULL,
      created_at BIGINT NOT NULL
    )`,
    `CREATE TABLE security_events (
      client_id TEXT NOT NULL REFERENCES receivers (client_id) ON DELETE CASCADE,
      seq BIGINT NOT NULL,
      part BIGINT NOT NULL,
      jti TEXT NOT NULL,
      txn TEXT NOT NULL,
      at BIGINT NOT NULL,
      type TEXT NOT NULL,
      content TEXT NOT NULL,
      PRIMARY KEY (client_id, seq, part)
    )`,
    'CREATE UNIQUE INDEX security_events_by_jti ON security_events (client_id, jti)',
  ],
];

/** Brings the database to the newest version. Refuses a database that a newer Latchkey has written. */
export async function migrate(database: Database): Promise<void> {
  await database.write(async (tx) => {
    await tx.run('CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)');
    const row = await tx.one<{ version: number }>('SELECT version FROM schema_version');
    const version = row?.version ?? 0;
    if (version > migrations.length) {
      throw new Error(
        `the database has schema version ${version}, this Latchkey knows ${migrations.length}: run the newer one`,
      );
    }
    if (row === undefined) await tx.run('INSERT INTO schema_version (version) VALUES (0)');
    for (const statements of migrations.slice(version)) {
      for (const statement of statements) await tx.run(statement);
    }
    await tx.run('UPDATE schema_version SET version = ?', migrations.length);
  });
}
