// What is in force here: the marks, the position up to which they are complete, and the moment they are complete for. Everything that
// changes one of the three goes through this file, and only after its signature was verified. Marks are only ever added; the
// position and `as_of` move on only with a snapshot or a batch that was applied as a whole, so whoever cannot follow becomes
// stale by itself.
import { setImmediate as turn } from 'node:timers/promises';
import type { Attestation } from './attestation.ts';
import type { ClosedBatch } from './batch.ts';
import type { Freshness } from './freshness.ts';
import { addGroups, addMark, type MarkAdder } from './mark_groups.ts';
import type { Position } from './position.ts';
import { type Snapshot, SnapshotFault } from './snapshot.ts';

export interface AppliedOptions {
  readonly adder: MarkAdder;
  readonly freshness: Freshness;
  /** A `keys` signal was among what is applied now, or may have been among what was skipped. */
  readonly onKeys: () => void;
  /** Told after each snapshot and heartbeat. */
  readonly onProgress: () => void;
}

export interface Applied {
  readonly position: Position | undefined;
  /** No hole is known of. */
  readonly complete: boolean;
  /** Goes on where an earlier run stopped; its marks are in the set already. */
  restore(position: Position): void;
  /** There may be a hole: only a snapshot mends it. What was applied stays. */
  doubt(): void;
  /**
   * `late`: the keys that are here may be older than it, even if it is the first. Throws SnapshotFault for one that is older
   * than what is known, and FullFault.
   */
  takeSnapshot(snapshot: Snapshot, late: boolean): Promise<void>;
  /** False where `as_of` has not moved: then the heartbeat is one that was said before. Throws FullFault. */
  takeBatch(batch: ClosedBatch, attested: Attestation): boolean;
}

const epochTolerance = 60_000;

export function createApplied({ adder, freshness, onKeys, onProgress }: AppliedOptions): Applied {
  let position: Position | undefined;
  let complete = false;

  return {
    get position() {
      return position;
    },
    get complete() {
      return complete;
    },
    restore(kept) {
      position = kept;
      complete = true;
    },
    doubt() {
      complete = false;
    },
    async takeSnapshot(snapshot, late) {
      refuseOlder(snapshot, position, freshness.asOf);
      for (const _ of addGroups(adder, snapshot.groups)) await turn();
      const skipped = late || (position !== undefined && position.id !== snapshot.position.id);
      position = snapshot.position;
      complete = true;
      freshness.heard(snapshot.asOf, snapshot.maxLife);
      if (skipped) onKeys();
      onProgress();
    },
    takeBatch(batch, attested) {
      for (const change of batch.changes) if (change !== 'keys') addMark(adder, change);
      position = batch.position;
      const moved = freshness.heard(attested.asOf, attested.maxLife);
      if (batch.changes.includes('keys')) onKeys();
      onProgress();
      return moved;
    },
  };
}

/** An older state must not replace a newer one, whoever serves it: a replayed snapshot would hide what came after it. */
function refuseOlder(snapshot: Snapshot, position: Position | undefined, asOf: number | undefined): void {
  const { epoch, seq } = snapshot.position;
  const older =
    position?.epoch === epoch
      ? seq < position.seq
      : // A new epoch counts anew, so its time must speak for it.
        asOf !== undefined && snapshot.asOf < asOf - epochTolerance;
  if (older) throw new SnapshotFault('the snapshot is older than what is known');
}
