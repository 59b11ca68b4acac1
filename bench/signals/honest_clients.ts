// People who work while keys change: each with the client library (`@latchkey/client`), which refreshes by itself and repeats a refused
// request once, and with nothing but the refresh token that it kept. What the network layer below it saw is counted too: how often a
// request was refused before the client mended it.
import { type Client, createClient, type SavedSession, type TokenStorage } from '@latchkey/client';
import type { Person } from './people.ts';

export interface Work {
  requests: number;
  /** Answers that a person saw and that were not 200, and what was thrown. */
  readonly failures: string[];
  /** 401 answers of services, mended or not. */
  refused: number;
  refreshes: number;
}

export interface HonestClients {
  readonly work: Work;
  /** Counts from here on. */
  readonly fresh: () => void;
  readonly stop: () => Promise<void>;
}

/** Everybody works at a gateway of their own choice, all together `rate` requests a second. */
export async function startHonestClients(
  people: readonly Person[],
  ports: readonly number[],
  rate: number,
): Promise<HonestClients> {
  const work: Work = { requests: 0, failures: [], refused: 0, refreshes: 0 };
  const through = countingFetch(work);
  const clients = people.map((person, i) => openClient(person, ports[i % ports.length] ?? 0, through));
  await Promise.all(clients.map((client) => client.resume()));
  const flying = new Set<Promise<void>>();
  const start = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    for (const due = ((performance.now() - start) * rate) / 1000; sent < due; sent += 1) {
      const one = request(clients[sent % clients.length] as Client, work).finally(() => flying.delete(one));
      flying.add(one);
    }
  }, 4);
  return {
    work,
    fresh() {
      work.failures.length = 0;
      Object.assign(work, { requests: 0, refused: 0, refreshes: 0 });
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(flying);
    },
  };
}

/** A client that holds only what it kept: the refresh token of a sign-in long ago. */
export function openClient({ refreshToken }: Person, port: number, through: typeof fetch = fetch): Client {
  let saved: SavedSession | undefined = { refreshToken };
  const storage: TokenStorage = {
    load: async () => saved,
    save: async (session) => {
      saved = session;
    },
  };
  return createClient({ baseUrl: `http://127.0.0.1:${port}`, cookie: false, storage, fetch: through });
}

function countingFetch(work: Work): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    if (pathname === '/auth/token') work.refreshes += 1;
    else if (response.status === 401) work.refused += 1;
    return response;
  };
}

async function request(client: Client, work: Work): Promise<void> {
  work.requests += 1;
  try {
    const response = await client.fetch('/normal/records');
    await response.body?.cancel();
    if (response.status !== 200) work.failures.push(String(response.status));
  } catch (error) {
    work.failures.push(error instanceof Error ? error.message : 'fault');
  }
}
