// The browser's way: the refresh token is in an HttpOnly cookie, and script holds nothing but the Idempotency-Key of
// the exchange under way. The key is no secret; it lies in localStorage so that all tabs, which share the cookie, send
// the same one, and so that it survives a reload.
import { newIdempotencyKey } from './idempotency_key.ts';
import type { Exchange, RefreshHolder } from './refresh_holder.ts';

/** The part of `localStorage` that is used. */
export interface KeyStorage {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
}

export function createCookieSession(name: string, storage: KeyStorage = browserStorage()): RefreshHolder {
  const drop = async (exchange?: Exchange): Promise<void> => {
    // A slow answer to an older exchange must not take away the key of the next one.
    if (exchange === undefined || storage.getItem(name) === exchange.key) storage.removeItem(name);
  };
  return {
    cookie: true,
    async begin() {
      const kept = storage.getItem(name);
      if (kept !== null && /^[\w-]{16,255}$/.test(kept)) return { key: kept };
      const key = newIdempotencyKey();
      storage.setItem(name, key);
      return { key };
    },
    // The key belongs to the cookie: when the server says that the cookie stays, so does the key.
    settle: async (exchange, answer) => {
      if (answer.rotated !== false) await drop(exchange);
    },
    adopt: () => drop(),
    forget: drop,
  };
}

/** `localStorage`, or memory where it is forbidden or full: then tabs do not share the key, and the grace time helps. */
function browserStorage(): KeyStorage {
  const memory = new Map<string, string>();
  return {
    getItem: (name) => memory.get(name) ?? attempt(() => localStorage.getItem(name)) ?? null,
    setItem(name, value) {
      attempt(() => localStorage.setItem(name, value));
      if (attempt(() => localStorage.getItem(name)) !== value) memory.set(name, value);
    },
    removeItem(name) {
      memory.delete(name);
      attempt(() => localStorage.removeItem(name));
    },
  };
}

function attempt<T>(work: () => T): T | undefined {
  if (typeof document === 'undefined') return undefined; // Node has a localStorage too, and warns when it is touched
  try {
    return work();
  } catch {
    return undefined;
  }
}
