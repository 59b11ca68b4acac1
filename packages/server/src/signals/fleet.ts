// The fleet: registered verifiers, what each has acknowledged, and who is told when that changes. Its state is the table
// `verifiers`; here are only the streams that are open at this server, and the limits. An acknowledgement informs, it never grants.
import { randomBytes } from 'node:crypto';
import { AuthError } from '../errors.ts';
import { fleetSilence } from '../rules/lifetimes.ts';
import type { Database } from '../storage/database.ts';
import {
  acknowledgeSignals,
  allVerifiers,
  closeVerifier,
  enterVerifier,
  isKnownVerifier,
  measureFleet,
  removeVerifier,
  type VerifierKey,
  type VerifierRecord,
} from '../storage/verifiers.ts';
import type { Target } from './fleet_member.ts';

export interface EnteringVerifier extends VerifierKey {
  /** The client's. */
  readonly name: string;
  /** What it says of itself (`User-Agent`); cut and cleaned here. */
  readonly version: string;
}

export interface Acknowledgement {
  readonly instance: string;
  readonly epoch: string;
  readonly seq: number;
  /** Its process ends. @default false */
  readonly leaving?: boolean | undefined;
}

/** What a verifier has said here; without a position: it has gone. */
export interface FleetChange extends VerifierKey {
  readonly position?: Target;
}

export interface FleetView {
  readonly verifiers: readonly VerifierRecord[];
  /** The database's time, where there is any verifier. */
  readonly now: number;
}

export interface Fleet {
  /**
   * A registered verifier's stream opens; what is answered is to be called when it closes. Throws AuthError `rate_limited` when its
   * client has as many as one may have.
   */
  enter(verifier: EnteringVerifier): Promise<() => void>;
  /** Throws AuthError `not_found` for a verifier that is not known, `rate_limited` for one that says too much. */
  acknowledge(clientId: string, said: Acknowledgement): Promise<void>;
  /** Everybody, as the database has it after this call. */
  look(): Promise<FleetView>;
  /** Told after each acknowledgement and departure here. Answers how to stop. */
  onChange(listener: (change: FleetChange) => void): () => void;
  /** For the metrics: as measured a moment ago. */
  readonly size: number;
  readonly lag: number;
  /** Writes that the streams of this server are closed. */
  close(): Promise<void>;
}

export interface FleetOptions {
  readonly database: Database;
  readonly onError: (error: unknown) => void;
  /** Milliseconds that never go back. @default performance.now */
  readonly monotonic?: () => number;
}

/** Verifiers that one client may have. */
const mostInstances = 256;
/** Acknowledgements of one verifier that are written in a second: one that is asked may send ten. */
const mostWrites = 20;
const second = 1000;
/** Milliseconds between two measurements for the metrics. */
const measureInterval = 2000;

interface Said {
  epoch: string;
  seq: number;
  /** When the count began. */
  since: number;
  writes: number;
  writtenAt: number;
}

const textOf = ({ clientId, instance }: VerifierKey): string => `${clientId}.${instance}`;

/** Printable ASCII, as much of it as one wants to see in a list. */
const cleaned = (version: string): string => version.replaceAll(/[^\x20-\x7e]/g, '').slice(0, 128);

/** What each verifier said last, so that what says nothing new is not written, and nobody fills the writer's queue. */
function createThrottle(monotonic: () => number) {
  const known = new Map<string, Said>();
  return {
    /** Answers false when there is nothing to write. */
    admit(key: string, epoch: string, seq: number): boolean {
      const now = monotonic();
      const said = known.get(key) ?? {
        epoch,
        seq: -1,
        since: now,
        writes: 0,
        writtenAt: Number.NEGATIVE_INFINITY,
      };
      if (said.epoch === epoch && said.seq === seq && now - said.writtenAt < second) return false;
      if (now - said.since >= second) Object.assign(said, { since: now, writes: 0 });
      if (said.writes >= mostWrites)
        throw new AuthError('rate_limited', 'One acknowledgement a second is enough.', { retryAfter: 1 });
      said.writes += 1;
      known.set(key, { ...said, epoch, seq, writtenAt: now });
      return true;
    },
    forget: (key: string) => known.delete(key),
    sweep() {
      for (const [key, said] of known) if (monotonic() - said.writtenAt > fleetSilence) known.delete(key);
    },
  };
}

export function createFleet(options: FleetOptions): Fleet {
  const { database, onError } = options;
  const open = new Map<string, VerifierKey>();
  const listeners = new Set<(change: FleetChange) => void>();
  const throttle = createThrottle(options.monotonic ?? (() => performance.now()));
  let closed = false;
  let figures = { size: 0, lag: 0 };
  let looking: Promise<FleetView> | undefined;

  function tell(change: FleetChange): void {
    for (const listener of listeners) listener(change);
  }

  async function measure(): Promise<void> {
    throttle.sweep();
    figures = await measureFleet(database, fleetSilence);
  }

  async function leave(key: VerifierKey, connection: string): Promise<void> {
    if (!open.delete(connection)) return;
    await database.write((tx) => closeVerifier(tx, key, connection));
    tell(key);
  }

  const notKnown = () => new AuthError('not_found', 'This instance is not known: connect again.');

  const timer = setInterval(() => void measure().catch(onError), measureInterval);
  timer.unref();

  return {
    async enter(verifier) {
      const { clientId, instance } = verifier;
      const key = { clientId, instance };
      const connection = randomBytes(12).toString('base64url');
      const row = { ...verifier, version: cleaned(verifier.version) };
      if (!(await database.write((tx) => enterVerifier(tx, row, connection, mostInstances))))
        throw new AuthError('rate_limited', 'Too many verifiers of this client are connected.', {
          retryAfter: 30,
        });
      open.set(connection, key);
      if (closed) await leave(key, connection);
      return () => void leave(key, connection).catch(onError);
    },

    async acknowledge(clientId, { instance, epoch, seq, leaving }) {
      const key = { clientId, instance };
      const text = textOf(key);
      if (!(await isKnownVerifier(database, key))) throw notKnown();
      if (leaving !== true && !throttle.admit(text, epoch, seq)) return;
      try {
        const known = await database.write((tx) =>
          leaving === true ? removeVerifier(tx, key) : acknowledgeSignals(tx, key, epoch, seq),
        );
        if (!known) throw notKnown();
      } catch (error) {
        throttle.forget(text);
        throw error;
      }
      if (leaving === true) throttle.forget(text);
      tell(leaving === true ? key : { ...key, position: { epoch, seq } });
    },

    look() {
      // Whoever asks in the same turn of the loop shares one read, which begins after all of them have asked.
      looking ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        looking = undefined;
        return allVerifiers(database);
      });
      return looking;
    },

    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get size() {
      return figures.size;
    },
    get lag() {
      return figures.lag;
    },

    async close() {
      closed = true;
      clearInterval(timer);
      const left = [...open];
      open.clear();
      if (left.length === 0) return;
      await database
        .write(async (tx) => {
          for (const [connection, key] of left) await closeVerifier(tx, key, connection);
        })
        .catch(onError);
    },
  };
}
