// The signing keys of this installation, opened, and their rotation (threats K04–K06). The database's unique indexes see
// to it that there is exactly one current key per algorithm, whatever several instances do at once.
import { createHash } from 'node:crypto';
import {
  type Algorithm,
  exportPrivateKey,
  generateKeyPair,
  importPrivateKey,
  type Jwk,
  type KeySet,
  parseJwkSet,
  type SigningKey,
} from '@latchkey/core';
import { AuthError } from '../errors.ts';
import { fleetSilence } from '../rules/lifetimes.ts';
import { activationTime, nextKey, planRotation, type RotationPolicy } from '../rules/rotation.ts';
import type { SignalPublisher } from '../signals/publisher.ts';
import { type AuditEntry, insertAudit, type Origin } from '../storage/audit.ts';
import { type Database, type Queries, type Transaction, UniqueViolation } from '../storage/database.ts';
import {
  deleteSigningKey,
  insertSigningKey,
  listSigningKeys,
  markPublished,
  markWaiting,
  moveSigningKey,
  type NewSigningKey,
  promoteSigningKey,
  type SigningKeyRecord,
} from '../storage/signing_keys.ts';
import { countBehind } from '../storage/verifiers.ts';
import type { MasterKey } from './master_key.ts';

export interface SigningKeyring {
  readonly current: SigningKey;
  /** Public keys by kid, for checking our own tokens. */
  readonly verificationKeys: KeySet;
  /** The JWK Set as it is served, and its ETag. */
  readonly published: { readonly body: string; readonly etag: string };
  /**
   * Does what the schedule asks for; `force` promotes the next key now, if it has been published long enough and every verifier
   * that is connected says that it has it; `early` even when not: whoever lacks the key then refuses its tokens until it
   * fetches the set again.
   */
  rotate(origin: Origin, force?: boolean, early?: boolean): Promise<void>;
  /** Emergency: the key is gone at once, its tokens are dead everywhere, and the next key signs. */
  remove(kid: string, origin: Origin): Promise<void>;
  list(): Promise<readonly SigningKeyRecord[]>;
  reload(): Promise<void>;
}

export interface SigningKeyringOptions {
  readonly database: Database;
  readonly masterKey: MasterKey;
  readonly signals: SignalPublisher;
  readonly policy: Omit<RotationPolicy, 'maxTokenLife'> & { readonly alg: Algorithm };
  /** Seconds: the longest life of any token that a key of ours may have signed. */
  readonly longestTokenLife: () => Promise<number>;
}

interface Loaded {
  readonly current: SigningKey;
  readonly verificationKeys: KeySet;
  readonly published: { readonly body: string; readonly etag: string };
}

export async function openSigningKeyring(
  options: SigningKeyringOptions,
  origin: Origin,
): Promise<SigningKeyring> {
  const { database, masterKey, signals, policy } = options;
  let loaded: Loaded | undefined;

  function newRecord(now: number, state: 'next' | 'current'): NewSigningKey {
    const { signingKey, publicJwk } = generateKeyPair(policy.alg);
    return {
      kid: signingKey.kid,
      alg: policy.alg,
      state,
      publicJwk: JSON.stringify(publicJwk),
      privateKey: masterKey.wrap(exportPrivateKey(signingKey), signingKey.kid),
      createdAt: now,
      activatesAt: state === 'current' ? now : activationTime(now),
      retiresAt: null,
    };
  }

  async function reload(): Promise<void> {
    const { keys } = await listSigningKeys(database);
    const current = keys.find((key) => key.state === 'current');
    if (current === undefined) throw new Error('there is no current key');
    const jwks = { keys: keys.map((key) => JSON.parse(key.publicJwk) as Jwk) };
    const body = JSON.stringify(jwks);
    loaded = {
      current: importPrivateKey(
        masterKey.unwrap(current.privateKey, current.kid),
        current.alg as Algorithm,
        current.kid,
      ),
      verificationKeys: parseJwkSet(jwks),
      published: { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` },
    };
  }

  /** One plan, one transaction: planned on what the transaction reads, so that two rotations cannot both act on one state. */
  async function applyPlan(tx: Transaction, force: boolean, early: boolean): Promise<AuditEntry[]> {
    const { keys, now } = await listSigningKeys(tx);
    const maxTokenLife = await options.longestTokenLife();
    const behind = await isFleetBehind(tx, nextKey(keys, policy));
    const plan = planRotation(keys, now, { ...policy, maxTokenLife }, { force, early, behind });
    const done: AuditEntry[] = [];
    if (plan.wait !== undefined) await markWaiting(tx, plan.wait);
    for (const kid of plan.retire) {
      await deleteSigningKey(tx, kid);
      done.push({ action: 'key.retire', target: kid, outcome: 'success' });
    }
    if (plan.promote !== undefined) {
      const { current, next, retiresAt } = plan.promote;
      if (current !== undefined) await moveSigningKey(tx, current, 'current', 'previous', retiresAt);
      await promoteSigningKey(tx, next);
      done.push({ action: 'key.rotate', target: next, outcome: 'success' });
    }
    // The very first key signs at once: nobody has cached a JWK Set without it.
    const state = keys.some((key) => key.state !== 'previous') ? 'next' : 'current';
    if (plan.create || plan.promote !== undefined) await insertSigningKey(tx, newRecord(now, state));
    // Its successor is published in the same moment: every set that anybody has holds it, so it may sign at any time.
    if (state === 'current') await insertSigningKey(tx, { ...newRecord(now, 'next'), activatesAt: now });
    return done;
  }

  async function rotate(by: Origin, force = false, early = false): Promise<void> {
    try {
      await database.write(async (tx) => {
        const before = await listSigningKeys(tx);
        const done = await applyPlan(tx, force, early);
        const after = await listSigningKeys(tx);
        if (
          before.keys.map((key) => key.kid).join() === after.keys.map((key) => key.kid).join() &&
          done.length === 0
        )
          return;
        for (const entry of done) await insertAudit(tx, by, entry);
        await markPublished(tx, await signals.keys(tx));
      });
    } catch (error) {
      // Another instance made the same key in the same moment: its row is as good as ours.
      if (!(error instanceof UniqueViolation)) throw error;
    }
    await reload();
  }

  async function remove(kid: string, by: Origin): Promise<void> {
    await database.write(async (tx) => {
      const { keys, now } = await listSigningKeys(tx);
      const next = keys.find((key) => key.state === 'next' && key.alg === policy.alg && key.kid !== kid);
      const doomed = keys.find((key) => key.kid === kid);
      if (doomed === undefined) throw new AuthError('not_found', 'There is no such key.');
      await deleteSigningKey(tx, kid);
      if (doomed.state === 'current') {
        if (next === undefined) await insertSigningKey(tx, newRecord(now, 'current'));
        else await promoteSigningKey(tx, next.kid);
      }
      if (doomed.state === 'current' || next === undefined)
        await insertSigningKey(tx, newRecord(now, 'next'));
      await insertAudit(tx, by, { action: 'key.remove', target: kid, outcome: 'success' });
      await signals.mark(tx, { kind: 'revoke', by: 'kid', value: kid });
      await markPublished(tx, await signals.keys(tx));
    });
    await reload();
  }

  await rotate(origin);
  const opened = (): Loaded => {
    if (loaded === undefined) throw new Error('the keys are not loaded');
    return loaded;
  };
  return {
    get current() {
      return opened().current;
    },
    get verificationKeys() {
      return opened().verificationKeys;
    },
    get published() {
      return opened().published;
    },
    rotate,
    remove,
    reload,
    list: async () => (await listSigningKeys(database)).keys,
  };
}

/** Whether a verifier that is connected has not said that it has this key. */
async function isFleetBehind(queries: Queries, key: SigningKeyRecord | undefined): Promise<boolean> {
  return key !== undefined && (await countBehind(queries, key.publishedSeq ?? 0, fleetSilence)) > 0;
}
