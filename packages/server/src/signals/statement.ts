// What the server says of its signals under its signature: a batch of the stream, or a snapshot (docs/protocol/signals.md).
import { type SigningKey, signJws } from '@latchkey/core';

export interface Statement {
  readonly iss: string;
  readonly epoch: string;
  /** The `seq` before the batch; a snapshot has none. */
  readonly from?: number;
  readonly seq: number;
  /** Milliseconds, the database's clock: everything committed up to then has been said. */
  readonly as_of: number;
  /** Seconds: the longest life of any token that is alive. */
  readonly max_life: number;
  /** base64url, of the batch or of the snapshot's bytes. */
  readonly sha256: string;
}

export function signStatement(statement: Statement, key: SigningKey): string {
  return signJws({ alg: key.alg, kid: key.kid, typ: 'signals+jwt' }, JSON.stringify(statement), key);
}
