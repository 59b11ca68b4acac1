// Brings what is applied up to the issuer's present state by its snapshot. One at a time, however many ask. A signature of a key that is
// not here is no reason to give up: the key set is fetched, past its cool-down, and the snapshot once more. The document that
// was applied last is remembered by its name and digest, so that the issuer need not send it again.
import type { Applied } from './applied.ts';
import { AttestationFault } from './attestation.ts';
import { FetchFault } from './bounded_fetch.ts';
import { fetchSnapshot, type Snapshot, type SnapshotOptions } from './snapshot.ts';

export interface CatchUpOptions extends SnapshotOptions {
  readonly applied: Applied;
  readonly refreshKeys: () => Promise<void>;
}

export interface CatchUp {
  /** Snapshots that were applied, or found to be still the present one. */
  readonly snapshots: number;
  /** Takes the snapshot, or waits for the one that is being taken. */
  take(): Promise<void>;
  /** Resolves when one has been taken; rejects when the attempt under way fails, or at once between attempts. */
  first(): Promise<void>;
}

export function createCatchUp(options: CatchUpOptions): CatchUp {
  const { applied, refreshKeys } = options;
  let held: Snapshot | undefined;
  let flight: Promise<void> | undefined;
  let snapshots = 0;
  /** The key set was fetched long before: what the snapshot holds may have changed it. */
  let late = false;

  const takeOnce = async (): Promise<void> => {
    try {
      const snapshot = await fetchSnapshot(options, held);
      await applied.takeSnapshot(snapshot, late);
      late = false;
      held = { ...snapshot, groups: [] };
      snapshots += 1;
    } catch (fault) {
      // One that never came says nothing about the one we hold.
      if (!(fault instanceof FetchFault)) held = undefined;
      if (!(fault instanceof AttestationFault && fault.unknownKey)) late = true;
      throw fault;
    }
  };

  const takeWithKeys = async (): Promise<void> => {
    try {
      await takeOnce();
    } catch (fault) {
      if (!(fault instanceof AttestationFault && fault.unknownKey)) throw fault;
      await refreshKeys();
      await takeOnce();
    }
  };

  const take = (): Promise<void> => {
    flight ??= takeWithKeys().finally(() => {
      flight = undefined;
    });
    return flight;
  };

  return {
    get snapshots() {
      return snapshots;
    },
    take,
    async first() {
      if (snapshots > 0) return;
      if (flight === undefined) throw new FetchFault('waiting before the next attempt');
      await flight;
    },
  };
}
