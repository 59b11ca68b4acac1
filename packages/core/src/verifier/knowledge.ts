// What a verifier knows: keys, marks, and how fresh they are. Two kinds with one face: fixed keys, which know no network and are
// never stale, and a remote issuer (remote_knowledge.ts), whose key set is fetched and whose signals are followed. The judging is in
// verifier.ts; nothing here looks at a token.
import type { KeySet } from '../keys.ts';
import { createMarkSet, type Mark, type MarkSet } from './marks.ts';

export interface SignalsStatus {
  /** The stream is open; with `poll`, the last look at the snapshot went well. */
  readonly connected: boolean;
  /** Milliseconds, the issuer's clock. */
  readonly asOf: number | undefined;
  /** Milliseconds since then; infinite before the first. */
  readonly staleForMs: number;
  /** Milliseconds by which this machine's clock seems to be ahead of the issuer's. */
  readonly clockOffsetMs: number;
  /** Everything up to here has been applied. */
  readonly epoch: string | undefined;
  readonly seq: number | undefined;
  readonly position: string | undefined;
  /** The last `seq` that the issuer has confirmed to have heard of; only of a registered one with a stream. */
  readonly acknowledged: number | undefined;
  readonly connects: number;
  readonly snapshots: number;
}

export interface Knowledge {
  readonly keys: KeySet | undefined;
  readonly marks: MarkSet;
  /** Keys are here, and a snapshot where signals are followed. */
  readonly known: boolean;
  readonly signals: SignalsStatus | undefined;
  readonly jwksFetches: number;
  readonly lastFault: string | undefined;
  /** Milliseconds, for a wall clock that says `wall`; never earlier than the last `as_of`. */
  clock(wall: number): number;
  /** Fresh enough to decide with. */
  holds(wall: number, sensitive: boolean): boolean;
  /** True when `kid` is known now, after at most one fetch. */
  find(kid: string): Promise<boolean>;
  /** The attempt under way to know anything at all; rejects when it fails, and at once when there is none. */
  wait(): Promise<void>;
  /** Resolves once `known`. */
  whenKnown(): Promise<void>;
  close(): void;
}

export interface KnowledgeEvents {
  /** To be told of each new mark; undefined while nobody listens. */
  readonly onMark: () => ((mark: Mark) => void) | undefined;
  /** A key is gone or changed: what was verified with it counts no longer. */
  readonly onWithdrawnKey: () => void;
}

export function createFixedKnowledge(keys: KeySet): Knowledge {
  return {
    keys,
    marks: createMarkSet(),
    known: true,
    signals: undefined,
    jwksFetches: 0,
    lastFault: undefined,
    clock: (wall) => wall,
    holds: () => true,
    find: async () => false,
    wait: async () => {},
    whenKnown: async () => {},
    close() {},
  };
}
