// The life of a part that runs in this process: ready, then waiting for a signal, then an orderly stop. A second signal
// does not wait any longer.
import { flushCompileCache } from 'node:module';

export interface Part {
  close(): Promise<void>;
}

/** Resolves when the part has stopped. Exits at once, with code 130, when it is asked a second time. */
export function liveUntilSignal(part: Part): Promise<void> {
  // A process that is killed writes no cache; a running one does it once everything is loaded.
  setTimeout(flushCompileCache, 1_000).unref();
  return new Promise((resolve, reject) => {
    let asked = false;
    const stop = () => {
      if (asked) process.exit(130);
      asked = true;
      part.close().then(resolve, reject);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  });
}
