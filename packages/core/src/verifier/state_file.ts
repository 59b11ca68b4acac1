// The last good keys and marks on disk, so that a service can restart while its issuer is down. The file replaces the issuer's
// word, so whoever can write it is trusted like the issuer: it is made with mode 0600 and replaced whole by a rename. It
// counts with the age of its `as_of`, and anything odd about it means starting without. It holds public keys and marks,
// nothing secret. It is written piece by piece: a million marks must not hold up the requests.
import { readFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { Algorithm } from '../jwa.ts';
import { exportPublicJwk, parseJwkSet } from '../jwk.ts';
import type { KeySet } from '../keys.ts';
import { groupMarks, readMarkGroups } from './mark_groups.ts';
import type { Mark, MarkGroup } from './marks.ts';
import { isCount, isPosition, type Position } from './position.ts';

interface Moment {
  readonly position: Position;
  /** Milliseconds. */
  readonly asOf: number;
  /** Seconds. */
  readonly maxLife: number;
}

/** What an earlier run knew. */
export interface KeptState {
  readonly keys: KeySet;
  readonly signals: (Moment & { readonly groups: readonly MarkGroup[] }) | undefined;
}

/** What is known now. The marks are read with pauses; those that come meanwhile may be among them. */
export interface PresentState {
  readonly keys: KeySet;
  readonly signals: (Moment & { readonly marks: Iterable<Mark> }) | undefined;
}

const version = 2;

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

function readSignals(value: Record<string, unknown> | undefined): KeptState['signals'] {
  if (value === undefined) return undefined;
  const { epoch, seq, id, as_of: asOf, max_life: maxLife, marks } = value;
  const groups = readMarkGroups(marks);
  if (typeof epoch !== 'string' || !isCount(seq) || !isCount(asOf) || !isCount(maxLife)) return undefined;
  if (!isPosition(id, epoch, seq) || groups === undefined) return undefined;
  return { position: { epoch, seq, id }, asOf, maxLife, groups };
}

/** Marks in one piece of the file. */
const pieceLength = 8_192;

function* serialise(issuer: string, { keys, signals }: PresentState): Generator<string> {
  const jwks = { keys: [...keys.values()].map(exportPublicJwk) };
  const head = JSON.stringify({ version, issuer, jwks }).slice(0, -1);
  if (signals === undefined) {
    yield `${head}}`;
    return;
  }
  const { position, asOf, maxLife, marks } = signals;
  const moment = JSON.stringify({ ...position, as_of: asOf, max_life: maxLife }).slice(0, -1);
  yield `${head},"signals":${moment},"marks":[`;
  let comma = '';
  for (const piece of piecesOf(marks)) {
    yield `${comma}${JSON.stringify(groupMarks(piece)).slice(1, -1)}`;
    comma = ',';
  }
  yield ']}}';
}

function* piecesOf(marks: Iterable<Mark>): Generator<readonly Mark[]> {
  let piece: Mark[] = [];
  for (const mark of marks) {
    piece.push(mark);
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = [];
  }
  if (piece.length > 0) yield piece;
}

export interface StateWriter {
  /** Time has passed: it will be written within seconds. */
  touch(): void;
  /** A mark or a key came: it will be written at once, for a restart must not forget what was refused. */
  hurry(): void;
  readonly lastFault: string | undefined;
  close(): void;
}

const usualPause = 5_000;
/** What comes in one moment is written once. */
const shortestPause = 50;
let writers = 0;

/**
 * Writes what `read` gives: once in 5 s, or within a moment when it is urgent, and for at most a twentieth of the time, however
 * large it is. Undefined is not written.
 */
export function createStateWriter(
  path: string,
  issuer: string,
  read: () => PresentState | undefined,
): StateWriter {
  writers += 1;
  // Of its own, should there be two verifiers with one file in this process.
  const draft = `${path}.${process.pid}.${writers}.new`;
  let timer: NodeJS.Timeout | undefined;
  let wanted: number | undefined;
  let writing = false;
  let closed = false;
  let lastFault: string | undefined;
  let restUntil = 0;

  const write = async (): Promise<void> => {
    wanted = undefined;
    writing = true;
    const started = performance.now();
    try {
      const state = read();
      if (state !== undefined) await replaceFile(path, draft, serialise(issuer, state));
      lastFault = undefined;
    } catch (error) {
      lastFault = `the state file cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'fault'}`;
    }
    const ended = performance.now();
    restUntil = ended + 20 * (ended - started);
    writing = false;
    arm();
  };

  const arm = (): void => {
    clearTimeout(timer);
    if (wanted === undefined || writing || closed) return;
    timer = setTimeout(() => void write(), Math.max(wanted, restUntil) - performance.now());
    timer.unref();
  };

  const within = (pause: number): void => {
    const at = performance.now() + pause;
    if (wanted !== undefined && wanted <= at) return;
    wanted = at;
    arm();
  };

  return {
    touch: () => within(usualPause),
    hurry: () => within(shortestPause),
    get lastFault() {
      return lastFault;
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

async function replaceFile(path: string, draft: string, pieces: Iterable<string>): Promise<void> {
  try {
    const file = await open(draft, 'w', 0o600);
    try {
      for (const piece of pieces) await file.appendFile(piece);
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
