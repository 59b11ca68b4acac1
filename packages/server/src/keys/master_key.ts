// The master key wraps everything secret in the database (AES-256-GCM, the record's id as additional data, so that no
// ciphertext can be moved to another record). It comes from the settings or from a file of mode 0600 made at the first
// start; one that cannot open the stored check value does not start (threats K07, K08).
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from '../storage/database.ts';
import { readMeta, writeMeta } from '../storage/meta.ts';

export interface MasterKey {
  /** Ciphertext as text: version, nonce, tag and data in base64url. */
  wrap(secret: Uint8Array, id: string): string;
  /** Throws when the key, the id or a single bit is another. */
  unwrap(wrapped: string, id: string): Buffer;
}

/** The master key is missing, malformed, readable by others, or not the one this database was made with. */
export class MasterKeyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MasterKeyError';
  }
}

const prefix = 'w1.';

/** `key`: 32 random bytes. */
export function createMasterKey(key: Uint8Array): MasterKey {
  if (key.length !== 32)
    throw new MasterKeyError('the master key must be 32 bytes, in base64url 43 characters');
  return {
    wrap(secret, id) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(id));
      const data = Buffer.concat([cipher.update(secret), cipher.final()]);
      return prefix + Buffer.concat([nonce, cipher.getAuthTag(), data]).toString('base64url');
    },
    unwrap(wrapped, id) {
      const bytes = Buffer.from(wrapped.slice(prefix.length), 'base64url');
      if (!wrapped.startsWith(prefix) || bytes.length < 28)
        throw new MasterKeyError('a stored secret is malformed');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
        .setAAD(Buffer.from(id))
        .setAuthTag(bytes.subarray(12, 28));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
      } catch {
        throw new MasterKeyError('the master key does not open a stored secret');
      }
    },
  };
}

/** Reads the key from text (settings) or from its file, which is made when it is missing and `mayCreate`. */
export function loadMasterKey(source: {
  readonly text?: string | undefined;
  readonly file: string;
  readonly mayCreate: boolean;
}): MasterKey {
  if (source.text !== undefined) return createMasterKey(Buffer.from(source.text, 'base64url'));
  if (!existsSync(source.file)) {
    if (!source.mayCreate)
      throw new MasterKeyError(
        `the master key file ${source.file} is missing: restore it, the database cannot be read without it`,
      );
    writeDurably(source.file, `${randomBytes(32).toString('base64url')}\n`);
  }
  if (process.platform !== 'win32' && (statSync(source.file).mode & 0o077) !== 0) {
    throw new MasterKeyError(
      `the master key file ${source.file} is readable by others: chmod 600 ${source.file}`,
    );
  }
  return createMasterKey(Buffer.from(readFileSync(source.file, 'utf8').trim(), 'base64url'));
}

/** On disk before anything is encrypted with it, and never half there: a key that a power cut takes takes everything. */
function writeDurably(file: string, text: string): void {
  const temporary = `${file}.new`;
  writeFileSync(temporary, text, { mode: 0o600, flush: true });
  renameSync(temporary, file);
  if (process.platform === 'win32') return;
  const directory = openSync(dirname(file), 'r');
  fsyncSync(directory);
  closeSync(directory);
}

const checkId = 'master key check';

/** Binds the database to its master key at the first start, and refuses any other key ever after. */
export async function checkMasterKey(database: Database, masterKey: MasterKey): Promise<void> {
  const stored = await readMeta(database, 'master_key_check');
  if (stored === undefined) {
    await database.write((tx) =>
      writeMeta(tx, 'master_key_check', masterKey.wrap(Buffer.from(checkId), checkId)),
    );
    return;
  }
  try {
    masterKey.unwrap(stored, checkId);
  } catch {
    throw new MasterKeyError('the master key is not the one this database was made with');
  }
}
