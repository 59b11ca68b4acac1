// One refresh at a time among the tabs of a browser, where Web Locks exist. It only saves work: two tabs that refresh
// at once are both answered rightly by the server. Therefore waiting has a hard limit, after which we go on without
// the lock: a frozen tab that holds it must never keep the others from their work.

/** Runs `work` exactly once, after waiting at most `waitLimit` milliseconds for the others. */
export async function withLock<T>(name: string, waitLimit: number, work: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return work();
  let started: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    started ??= work();
    return started;
  };
  try {
    await locks.request(name, { signal: AbortSignal.timeout(waitLimit) }, begin);
  } catch {
    // Either we waited too long (begin now), or the work itself failed (begin returns its rejection), or locks are
    // forbidden in this context, as in a sandboxed frame.
  }
  return begin();
}
