// The last good keys and marks on disk, so that a service can restart while its issuer is down. The file replaces the issuer's
// word, so whoever can write it is trusted like the issuer: it is made with mode 0600 and replaced whole by a rename. It
// counts with the age of its `as_of`, and anything odd about it means starting without. It holds public keys and marks,
// nothing secret.
import { readFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { Algorithm } from '../jwa.ts';
import { exportPublicJwk, parseJwkSet } from '../jwk.ts';
import type { KeySet } from '../keys.ts';
import type { Mark } from './marks.ts';
import type { Position } from './signals.ts';
import { isPosition, parseMarks } from './snapshot.ts';

export interface KeptSignals {
  readonly position: Position;
  /** Milliseconds. */
  readonly asOf: number;
  /** Seconds. */
  readonly maxLife: number;
  readonly marks: Iterable<Mark>;
}

export interface KeptState {
  readonly keys: KeySet;
  readonly signals: KeptSignals | undefined;
}

const version = 1;

/** What an earlier run kept for this issuer; undefined when there is nothing that can be used. Never throws. */
export function readStateFile(
  path: string,
  issuer: string,
  algorithms: readonly Algorithm[],
): KeptState | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    if (value['version'] !== version || value['issuer'] !== issuer) return undefined;
    const keys = parseJwkSet(value['jwks'], { algorithms });
    if (keys.size === 0) return undefined;
    return { keys, signals: readSignals(value['signals'] as Record<string, unknown> | undefined) };
  } catch {
    return undefined;
  }
}

function readSignals(value: Record<string, unknown> | undefined): KeptSignals | undefined {
  if (value === undefined) return undefined;
  const { epoch, seq, id, as_of: asOf, max_life: maxLife, marks } = value;
  if (typeof epoch !== 'string' || !isPosition(id, epoch, seq as number)) return undefined;
  if (![seq, asOf, maxLife].every(Number.isSafeInteger) || !Array.isArray(marks)) return undefined;
  return {
    position: { epoch, seq: seq as number, id },
    asOf: asOf as number,
    maxLife: maxLife as number,
    marks: parseMarks(marks),
  };
}

function serialise(issuer: string, { keys, signals }: KeptState): string {
  const kept = signals && {
    ...signals.position,
    as_of: signals.asOf,
    max_life: signals.maxLife,
    marks: [...signals.marks],
  };
  return JSON.stringify({
    version,
    issuer,
    jwks: { keys: [...keys.values()].map(exportPublicJwk) },
    signals: kept,
  });
}

export interface StateWriter {
  /** Something changed: it will be written soon. */
  touch(): void;
  readonly lastFault: string | undefined;
  close(): void;
}

const shortestPause = 5_000;

/** Writes what `read` gives, at most once in 5 s and for at most a twentieth of the time; undefined is not written. */
export function createStateWriter(
  path: string,
  issuer: string,
  read: () => KeptState | undefined,
): StateWriter {
  let timer: NodeJS.Timeout | undefined;
  let dirty = false;
  let closed = false;
  let lastFault: string | undefined;
  let delay = 100;

  const write = async (): Promise<void> => {
    dirty = false;
    const started = performance.now();
    try {
      const state = read();
      if (state !== undefined) await replaceFile(path, serialise(issuer, state));
      lastFault = undefined;
    } catch (error) {
      lastFault = `the state file cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'fault'}`;
    }
    delay = Math.max(shortestPause, 20 * (performance.now() - started));
    timer = undefined;
    if (dirty) arm();
  };

  const arm = (): void => {
    if (timer !== undefined || closed) return;
    timer = setTimeout(() => void write(), delay);
    timer.unref();
  };

  return {
    touch() {
      dirty = true;
      arm();
    },
    get lastFault() {
      return lastFault;
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.new`;
  try {
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw error;
  }
}
