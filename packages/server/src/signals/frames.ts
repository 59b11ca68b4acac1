// The stream and the snapshot's body, byte for byte (docs/protocol/signals.md). Pure.
import { createHash } from 'node:crypto';
import type { Signal } from '../storage/signals.ts';
import type { Statement } from './statement.ts';

/** `<epoch>-<seq>-<tag>`: where a reader stands. The tag tells histories with equal numbers apart. */
export function positionOf(epoch: string, head: { readonly seq: number; readonly tag: string }): string {
  return `${epoch}-${head.seq}-${head.tag}`;
}

export interface Position {
  readonly epoch: string;
  readonly seq: number;
  readonly tag: string;
}

export function parsePosition(text: string): Position | undefined {
  const match = /^([A-Za-z0-9_]{1,32})-(\d{1,15})-([A-Za-z0-9_-]{1,16})$/.exec(text);
  return match === null ? undefined : { epoch: match[1] ?? '', seq: Number(match[2]), tag: match[3] ?? '' };
}

/** Events in the order of their numbers, and what their heartbeat says of them. */
export interface Batch {
  /** The number before it, and its last one; the same when it is empty. */
  readonly from: number;
  readonly seq: number;
  readonly frames: string;
  readonly sha256: string;
}

export function batchOf(epoch: string, from: number, signals: readonly Signal[]): Batch {
  let frames = '';
  let digested = '';
  for (const signal of signals) {
    const id = positionOf(epoch, signal);
    const data = JSON.stringify(markData(signal));
    frames += `id: ${id}\nevent: ${signal.kind}\ndata: ${data}\n\n`;
    digested += `${id}\n${signal.kind}\n${data}\n`;
  }
  const sha256 = createHash('sha256').update(digested).digest('base64url');
  return { from, seq: signals.at(-1)?.seq ?? from, frames, sha256 };
}

/** Closes a batch. What stands beside the signature is for people: a reader believes what is signed. */
export function heartbeatFrame({ as_of, seq, max_life }: Statement, signature: string): string {
  return `event: heartbeat\ndata: ${JSON.stringify({ as_of, seq, max_life, signature })}\n\n`;
}

export const resetFrame = 'event: reset\ndata: {}\n\n';
export const askFrame = 'event: ask\ndata: {}\n\n';

function markData(signal: Signal): object {
  if (signal.kind === 'keys') return {};
  return {
    by: signal.by,
    value: signal.value,
    ...(signal.below === null ? {} : { below: signal.below }),
    ...(signal.until === null ? {} : { until: signal.until }),
  };
}

/** Marks of one kind and `by`; `below` and `until` run beside `values`, or are missing. */
export interface MarkGroup {
  readonly kind: string;
  readonly by: string;
  readonly values: readonly string[];
  readonly below?: readonly number[];
  readonly until?: readonly number[];
}

export interface SnapshotHead {
  readonly iss: string;
  readonly epoch: string;
  readonly seq: number;
  readonly position: string;
}

/** Marks in one piece of the body: what is made between two turns of the loop. */
const pieceLength = 4096;

/** The snapshot's body in pieces, so that a large one can be made without holding up everybody else. */
export function* snapshotPieces(head: SnapshotHead, groups: readonly MarkGroup[]): Generator<string> {
  const { iss, epoch, seq, position } = head;
  yield `${JSON.stringify({ iss, epoch, seq, position }).slice(0, -1)},"marks":[`;
  let comma = '';
  for (const { kind, by, values, below, until } of groups) {
    yield `${comma}${JSON.stringify({ kind, by }).slice(0, -1)}`;
    comma = ',';
    yield* listPieces('values', values);
    if (below !== undefined) yield* listPieces('below', below);
    if (until !== undefined) yield* listPieces('until', until);
    yield '}';
  }
  yield ']}';
}

function* listPieces(name: string, list: readonly (string | number)[]): Generator<string> {
  yield `,"${name}":[`;
  for (let at = 0; at < list.length; at += pieceLength) {
    yield `${at === 0 ? '' : ','}${JSON.stringify(list.slice(at, at + pieceLength)).slice(1, -1)}`;
  }
  yield ']';
}
