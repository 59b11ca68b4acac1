// The way of mobile apps and Node programs: the refresh token is kept in a store that the application gives (the
// system's keychain, say) or in memory. The Idempotency-Key is saved before it is sent, so that a program that dies
// between sending and reading the answer can ask again.
import { newIdempotencyKey } from './idempotency_key.ts';
import type { RefreshHolder } from './refresh_holder.ts';

export interface SavedSession {
  readonly refreshToken: string;
  /** The key of an exchange that has not been answered yet. */
  readonly idempotencyKey?: string;
}

/** Keep it where other programs cannot read it: whoever has the refresh token is signed in. */
export interface TokenStorage {
  load(): Promise<SavedSession | undefined>;
  /** Undefined: remove it. */
  save(session: SavedSession | undefined): Promise<void>;
}

export function memoryStorage(): TokenStorage {
  let saved: SavedSession | undefined;
  return {
    load: async () => saved,
    save: async (session) => {
      saved = session;
    },
  };
}

export function createStoredSession(storage: TokenStorage): RefreshHolder {
  return {
    cookie: false,
    async begin() {
      const saved = await storage.load();
      if (saved === undefined) return undefined;
      const key = saved.idempotencyKey ?? newIdempotencyKey();
      if (saved.idempotencyKey === undefined) await storage.save({ ...saved, idempotencyKey: key });
      return { key, refreshToken: saved.refreshToken };
    },
    async settle(exchange, answer) {
      const refreshToken = answer.refresh_token ?? exchange.refreshToken;
      if (refreshToken === undefined) return;
      // The key belongs to the token: when the server says that the token stays, so does the key.
      const stays = refreshToken === exchange.refreshToken;
      await storage.save(stays ? { refreshToken, idempotencyKey: exchange.key } : { refreshToken });
    },
    async adopt(answer) {
      await storage.save(
        answer.refresh_token === undefined ? undefined : { refreshToken: answer.refresh_token },
      );
    },
    async forget(exchange) {
      const saved = await storage.load();
      if (exchange === undefined || saved?.refreshToken === exchange.refreshToken)
        await storage.save(undefined);
    },
  };
}
