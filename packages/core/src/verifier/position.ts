// Where in the sequence of signals a reader stands (docs/protocol/signals.md): an epoch, a number, and a random tag that tells two
// histories with equal numbers apart.

export interface Position {
  readonly epoch: string;
  readonly seq: number;
  /** `<epoch>-<seq>-<tag>`: what the issuer is told when the stream goes on. */
  readonly id: string;
}

/** Positions go back to the issuer in a header: printable, short, and of this epoch and number. */
export function isPosition(value: unknown, epoch: string, seq: number): value is string {
  if (typeof value !== 'string' || !/^[\x21-\x7e]{1,256}$/.test(value)) return false;
  const start = `${epoch}-${seq}-`;
  return value.startsWith(start) && value.length > start.length;
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
