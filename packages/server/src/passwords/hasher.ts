// The queue in front of the hashing process: as many hashes in flight as there are cores, a bounded number waiting, and
// beyond that an answer at once: 503 with Retry-After (threat L07). Everything else stays fast, because hashing happens
// in another process at the lowest priority.
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AuthError } from '../errors.ts';
import type { HashingParameters } from './argon2.ts';

export type HashingRequest = { readonly id: number; readonly password: string } & (
  | { readonly kind: 'hash'; readonly parameters: HashingParameters }
  | { readonly kind: 'verify'; readonly hash: string; readonly current: string }
);

export type HashingAnswer =
  | { readonly id: number; readonly hash: string }
  | { readonly id: number; readonly matches: boolean; readonly outdated: boolean }
  | { readonly id: number; readonly failed: true };

export interface VerifiedPassword {
  readonly matches: boolean;
  /** The hash was made with other parameters than today's: hash the password again. */
  readonly outdated: boolean;
}

export interface Hashing {
  hash(password: string): Promise<string>;
  /** Without a hash (an unknown user) the same work is done against a stand-in, and the answer is no. */
  verify(hash: string | undefined, password: string): Promise<VerifiedPassword>;
}

export interface PasswordHasher extends Hashing {
  /**
   * A place in the queue for the whole of a work that writes before it hashes, so that one that would be refused writes
   * nothing. Throws what a full queue answers.
   */
  admit<T>(work: (hashing: Hashing) => Promise<T>): Promise<T>;
  /** Throws what `admit` would throw now: so that nothing need be read of what will be refused. */
  requireRoom(): void;
  readonly waiting: number;
  /** The hashing process, to watch its memory; undefined between two of them. */
  readonly pid: number | undefined;
  close(): void;
}

export interface HasherOptions extends HashingParameters {
  /** Passwords that may wait; one more is refused at once. */
  readonly queue: number;
}

interface Waiting {
  readonly request: HashingRequest;
  readonly resolve: (answer: HashingAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Milliseconds between two starts of the process. */
const minPause = 500;

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

function tooManySignIns(): AuthError {
  return new AuthError('unavailable', 'Too many people are signing in at the moment.', { retryAfter: 2 });
}

/**
 * As many hashes at once as there are cores: more lose a sixth of the speed. Our settings stay here: a first password or a master
 * key may be among them.
 */
function hasherEnvironment(cores: number): NodeJS.ProcessEnv {
  const outer = Object.entries(process.env).filter(([name]) => !name.startsWith('LATCHKEY_'));
  return { ...Object.fromEntries(outer), UV_THREADPOOL_SIZE: String(cores) };
}

/** Starts the process. A crash of it fails what was in flight with 503 and starts it again. */
export function createHasher(options: HasherOptions): PasswordHasher {
  const inFlight = new Map<number, Waiting>();
  const waiting: Waiting[] = [];
  const cores = availableParallelism();
  // Twice what is hashed at once: the next password is there when a core is free, even while this process waits for its disk.
  const mostInFlight = 2 * cores;
  const parameters = {
    memory: options.memory,
    iterations: options.iterations,
    parallelism: options.parallelism,
  };
  const current = `$argon2id$v=19$m=${options.memory},t=${options.iterations},p=${options.parallelism}`;
  // No password has this hash: salt and digest are zeros. It costs what a real one costs.
  const standIn = `${current}$${'A'.repeat(22)}$${'A'.repeat(43)}`;
  const places = options.queue + mostInFlight;
  let taken = 0;
  let nextId = 0;
  let startedAt = 0;
  let closed = false;
  let child: ChildProcess | undefined = start();

  function start(): ChildProcess {
    startedAt = performance.now();
    const started = fork(
      fileURLToPath(new URL(`./hashing_process${extname(import.meta.url)}`, import.meta.url)),
      [],
      {
        execArgv: [],
        env: hasherEnvironment(cores),
        serialization: 'json',
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      },
    );
    started.on('message', (message: HashingAnswer | { ready: true }) => {
      if ('id' in message) finish(message);
    });
    started.on('error', () => restart(started));
    started.on('exit', () => restart(started));
    return started;
  }

  function restart(dead: ChildProcess): void {
    if (child !== dead) return;
    child = undefined;
    const lost = [...inFlight.values()];
    inFlight.clear();
    for (const job of lost)
      job.reject(
        new AuthError('unavailable', 'Passwords cannot be checked at the moment.', { retryAfter: 1 }),
      );
    if (closed) return;
    // One that dies as it starts would be started for ever: a moment's pause between two starts.
    const pause = Math.max(0, startedAt + minPause - performance.now());
    setTimeout(() => {
      if (closed) return;
      child = start();
      pump();
    }, pause).unref();
  }

  function finish(answer: HashingAnswer): void {
    const job = inFlight.get(answer.id);
    inFlight.delete(answer.id);
    pump();
    if ('failed' in answer) job?.reject(new Error('hashing failed'));
    else job?.resolve(answer);
  }

  function pump(): void {
    while (child !== undefined && inFlight.size < mostInFlight) {
      const job = waiting.shift();
      if (job === undefined) return;
      inFlight.set(job.request.id, job);
      child.send(job.request);
    }
  }

  function submit(request: WithoutId<HashingRequest>): Promise<HashingAnswer> {
    return new Promise((resolve, reject) => {
      if (closed) return reject(new AuthError('unavailable', 'The server is stopping.', { retryAfter: 1 }));
      waiting.push({ request: { ...request, id: nextId++ } as HashingRequest, resolve, reject });
      pump();
    });
  }

  const hashing: Hashing = {
    async hash(password) {
      const answer = await submit({ kind: 'hash', password, parameters });
      if (!('hash' in answer)) throw new Error('the hashing process answered another question');
      return answer.hash;
    },
    async verify(hash, password) {
      const answer = await submit({ kind: 'verify', hash: hash ?? standIn, password, current });
      if (!('matches' in answer)) throw new Error('the hashing process answered another question');
      return hash === undefined
        ? { matches: false, outdated: false }
        : { matches: answer.matches, outdated: answer.outdated };
    },
  };

  function requireRoom(): void {
    if (taken >= places) throw tooManySignIns();
  }

  async function admit<T>(work: (place: Hashing) => Promise<T>): Promise<T> {
    requireRoom();
    taken += 1;
    try {
      return await work(hashing);
    } finally {
      taken -= 1;
    }
  }

  return {
    hash: (password) => admit((place) => place.hash(password)),
    verify: (hash, password) => admit((place) => place.verify(hash, password)),
    admit,
    requireRoom,
    get waiting() {
      return waiting.length;
    },
    get pid() {
      return child?.pid;
    },
    close() {
      closed = true;
      for (const job of [...waiting.splice(0), ...inFlight.values()]) {
        job.reject(new AuthError('unavailable', 'The server is stopping.', { retryAfter: 1 }));
      }
      inFlight.clear();
      child?.disconnect();
    },
  };
}
