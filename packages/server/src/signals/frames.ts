// What goes over the wire: server-sent events and the snapshot (docs/architecture.md, "Signals"). Pure.
import type { Signal } from '../storage/signals.ts';

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

export function signalFrame(epoch: string, signal: Signal): string {
  return `id: ${positionOf(epoch, signal)}\nevent: ${signal.kind}\ndata: ${JSON.stringify(markData(signal))}\n\n`;
}

/** Says: everything committed up to `asOf` (the database's clock, milliseconds) has been sent. */
export function heartbeatFrame(asOf: number, seq: number, maxLife: number): string {
  return `event: heartbeat\ndata: ${JSON.stringify({ as_of: asOf, seq, max_life: maxLife })}\n\n`;
}

export const resetFrame = 'event: reset\ndata: {}\n\n';

function markData(signal: Signal): object {
  if (signal.kind === 'keys') return {};
  return {
    by: signal.by,
    value: signal.value,
    ...(signal.below === null ? {} : { below: signal.below }),
    ...(signal.until === null ? {} : { until: signal.until }),
  };
}

export interface SnapshotInput {
  readonly issuer: string;
  readonly epoch: string;
  readonly head: { readonly seq: number; readonly tag: string; readonly asOf: number };
  readonly maxLife: number;
  readonly marks: readonly Signal[];
}

export function snapshotBody(input: SnapshotInput): string {
  return JSON.stringify({
    iss: input.issuer,
    epoch: input.epoch,
    seq: input.head.seq,
    position: positionOf(input.epoch, input.head),
    as_of: input.head.asOf,
    max_life: input.maxLife,
    marks: input.marks.map((signal) => ({ kind: signal.kind, ...markData(signal) })),
  });
}
