// A durable SQLite adapter for oidc-provider: WAL, synchronous FULL, prepared statements, and every write is on the
// disk before it is acknowledged, one commit each, as its adapter interface asks for them one by one. The provider
// ships with a memory adapter only; this is the shortest honest one that survives a crash.
import { DatabaseSync, type StatementSync } from 'node:sqlite';

type Payload = Record<string, unknown>;

export interface OidcAdapter {
  upsert(id: string, payload: Payload, expiresIn?: number): Promise<void>;
  find(id: string): Promise<Payload | undefined>;
  findByUserCode(userCode: string): Promise<Payload | undefined>;
  findByUid(uid: string): Promise<Payload | undefined>;
  consume(id: string): Promise<void>;
  destroy(id: string): Promise<void>;
  revokeByGrantId(grantId: string): Promise<void>;
}

const schema = `
  CREATE TABLE IF NOT EXISTS oidc (
    model TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL, expires_at INTEGER,
    grant_id TEXT, user_code TEXT, uid TEXT, consumed INTEGER,
    PRIMARY KEY (model, id)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS oidc_grant ON oidc (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX IF NOT EXISTS oidc_user_code ON oidc (user_code) WHERE user_code IS NOT NULL;
  CREATE INDEX IF NOT EXISTS oidc_uid ON oidc (uid) WHERE uid IS NOT NULL;`;

const live = '(expires_at IS NULL OR expires_at > unixepoch())';

/** Opens the file and returns what the `adapter` setting takes: a function of the model's name. */
export function openOidcAdapter(file: string): (model: string) => OidcAdapter {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  database.exec(schema);
  const upsert = database.prepare(
    `INSERT INTO oidc (model, id, payload, expires_at, grant_id, user_code, uid) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at,
       grant_id = excluded.grant_id, user_code = excluded.user_code, uid = excluded.uid`,
  );
  const select = 'SELECT payload, consumed FROM oidc WHERE model = ? AND';
  const byId = database.prepare(`${select} id = ? AND ${live}`);
  const byUserCode = database.prepare(`${select} user_code = ? AND ${live}`);
  const byUid = database.prepare(`${select} uid = ? AND ${live}`);
  const consume = database.prepare('UPDATE oidc SET consumed = unixepoch() WHERE model = ? AND id = ?');
  const destroy = database.prepare('DELETE FROM oidc WHERE model = ? AND id = ?');
  const revoke = database.prepare('DELETE FROM oidc WHERE model = ? AND grant_id = ?');
  return (model) => ({
    upsert: async (id, payload, expiresIn) => {
      const expiresAt = expiresIn === undefined ? null : Math.floor(Date.now() / 1000) + expiresIn;
      const { grantId, userCode, uid } = payload;
      upsert.run(model, id, JSON.stringify(payload), expiresAt, text(grantId), text(userCode), text(uid));
    },
    find: async (id) => read(byId, model, id),
    findByUserCode: async (userCode) => read(byUserCode, model, userCode),
    findByUid: async (uid) => read(byUid, model, uid),
    consume: async (id) => void consume.run(model, id),
    destroy: async (id) => void destroy.run(model, id),
    revokeByGrantId: async (grantId) => void revoke.run(model, grantId),
  });
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function read(statement: StatementSync, model: string, key: string): Payload | undefined {
  const row = statement.get(model, key);
  if (row === undefined) return undefined;
  const payload = JSON.parse(String(row['payload'])) as Payload;
  return row['consumed'] === null ? payload : { ...payload, consumed: row['consumed'] };
}
